"""A LiveKit agent as its documentation builds one, to compare with: stock adapter and settings, an instant answer."""

from __future__ import annotations

import asyncio
import json
import os
from typing import TypedDict

from langchain_core.runnables import RunnableLambda
from langgraph.config import get_stream_writer
from langgraph.graph import END, START, StateGraph
from livekit.agents import Agent, AgentServer, AgentSession, JobContext
from livekit.plugins import cartesia, deepgram
from livekit.plugins.langchain import LLMAdapter

NAME = "stock"
GREETING = "Hello, you are speaking with an automated assistant. How can I help you?"
ANSWER = "You can return anything within 30 days of delivery, as long as it's unused and in its original packaging."


class State(TypedDict):
    messages: list[object]


def graph() -> StateGraph[State, None, State, State]:
    def answer(_: State) -> State:
        get_stream_writer()(ANSWER)
        return {"messages": []}

    built = StateGraph(State)
    built.add_node("answer", RunnableLambda(answer))
    built.add_edge(START, "answer")
    built.add_edge("answer", END)
    return built


async def talk(job: JobContext) -> None:
    hears = json.loads(os.environ["HOLDFAST_VOICE__STT"])[0]["base_url"]
    speaks = json.loads(os.environ["HOLDFAST_VOICE__TTS"])[0]["base_url"]
    session: AgentSession[None] = AgentSession(
        stt=deepgram.STT(language="multi", base_url=hears),
        tts=cartesia.TTS(base_url=speaks),
        llm=LLMAdapter(graph().compile(), stream_mode="custom"),
        turn_handling={"turn_detection": "vad", "interruption": {"mode": "vad"}},
        aec_warmup_duration=None,
    )
    await session.start(Agent(instructions=""), room=job.room, record=False)
    session.say(GREETING)


def main() -> None:
    server = AgentServer(port=0, num_idle_processes=4, load_fnc=lambda: 0.0)
    server.rtc_session(talk, agent_name=NAME)
    asyncio.run(server.run())


if __name__ == "__main__":
    main()
