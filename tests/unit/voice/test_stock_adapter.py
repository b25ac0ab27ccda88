"""What livekit-plugins-langchain's own adapter does, and why GraphLLM overrides it.

Each test fails when a release mends the defect: then the override it names can go.
"""

from __future__ import annotations

from typing import Annotated, Any, TypedDict

from langchain_core.messages import AIMessage, AnyMessage, ToolMessage
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START, StateGraph
from langgraph.graph.message import add_messages
from livekit.agents import APIConnectionError, APIConnectOptions
from livekit.agents.llm import ChatContext
from livekit.plugins.langchain import LLMAdapter


class State(TypedDict):
    messages: Annotated[list[AnyMessage], add_messages]


def graph_of(*answers: AnyMessage, runs: list[int] | None = None, fails: int = 0) -> Any:
    """A graph with a memory whose one node answers; it counts its runs, and the first ones break off."""
    counted = runs if runs is not None else []

    def answer(_: State) -> State:
        counted.append(1)
        if len(counted) <= fails:
            raise APIConnectionError
        return {"messages": list(answers)}

    graph = StateGraph(State).add_node("answer", answer)
    graph.add_edge(START, "answer").add_edge("answer", END)
    return graph.compile(checkpointer=InMemorySaver())


THREAD: Any = {"configurable": {"thread_id": "call"}}


async def said_by(adapter: LLMAdapter[None], history: ChatContext, **options: Any) -> list[str]:
    stream = adapter.chat(chat_ctx=history, **options)
    async with stream:
        return [chunk.delta.content or "" async for chunk in stream if chunk.delta]


async def test_it_sends_the_whole_history_so_a_graph_with_a_memory_has_each_answer_twice() -> None:
    """GraphStream._new_words."""
    graph = graph_of(AIMessage("We open at nine.", id="ours"))
    adapter: LLMAdapter[None] = LLMAdapter(graph, config=THREAD)
    history = ChatContext.empty()
    history.add_message(role="user", content="hello")
    history.add_message(role="assistant", content=(await said_by(adapter, history))[0])
    history.add_message(role="user", content="thanks")
    await said_by(adapter, history)
    remembered = (await graph.aget_state(THREAD)).values["messages"]
    answers = [one for one in remembered if isinstance(one, AIMessage)]
    assert len(answers) > 1
    assert {one.content for one in answers} == {"We open at nine."}


async def test_it_speaks_what_a_tool_returned() -> None:
    """GraphStream._run: only what the graph says is said."""
    secret = ToolMessage("the code is 123456", tool_call_id="1")
    adapter: LLMAdapter[None] = LLMAdapter(graph_of(secret), config=THREAD)
    history = ChatContext.empty()
    history.add_message(role="user", content="hello")
    assert await said_by(adapter, history) == ["the code is 123456"]


async def test_a_turn_that_broke_off_is_run_again() -> None:
    """GraphLLM.chat: a turn may have done something."""
    runs: list[int] = []
    adapter: LLMAdapter[None] = LLMAdapter(
        graph_of(AIMessage("Booked."), runs=runs, fails=1), config=THREAD
    )
    history = ChatContext.empty()
    history.add_message(role="user", content="yes")
    again = APIConnectOptions(max_retry=1, retry_interval=0)
    await said_by(adapter, history, conn_options=again)
    assert len(runs) == 2


async def test_words_nobody_said_in_the_end_stay_in_the_graphs_memory() -> None:
    """CallTurns: a speculation runs on a fork of the call's memory."""
    graph = graph_of(AIMessage("Booked."))
    adapter: LLMAdapter[None] = LLMAdapter(graph, config=THREAD)
    speculation = ChatContext.empty()
    speculation.add_message(role="user", content="yes")
    stream = adapter.chat(chat_ctx=speculation)
    async for _ in stream:
        pass
    await stream.aclose()  # LiveKit drops it: the caller went on speaking
    assert (await graph.aget_state(THREAD)).values["messages"]


def test_it_does_not_say_what_it_is() -> None:
    """GraphLLM.model and provider, for metrics and traces."""
    adapter: LLMAdapter[None] = LLMAdapter(graph_of(AIMessage("")), config=THREAD)
    assert (adapter.model, adapter.provider) == ("unknown", "LangChain")
