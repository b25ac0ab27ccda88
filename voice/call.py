"""PhoneCall: one caller on the line, from the greeting to the end. Joins the conversation to a LiveKit session."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Coroutine
from contextlib import aclosing
from typing import Literal

import structlog
from livekit import rtc
from livekit.agents import (
    NOT_GIVEN,
    AgentSession,
    AgentStateChangedEvent,
    APIConnectOptions,
    ConversationItemAddedEvent,
    TurnHandlingOptions,
    UserInputTranscribedEvent,
    room_io,
)
from livekit.agents.llm import ChatMessage
from livekit.agents.voice.agent_session import SessionConnectOptions
from livekit.agents.voice.room_io import TextInputEvent

from conversation import Conversation, Reply
from graph.state import CallerTurn
from settings import VoiceSettings
from voice.activity import RECOGNISED_WITHIN
from voice.agent import LineAgent
from voice.audio import Backchannels
from voice.graph_llm import GraphLLM, answered, spoken
from voice.hush import Hush
from voice.loudspeaker import Loudspeaker
from voice.patience import patience
from voice.silence import Silence
from voice.speech import Speech
from voice.telephony import LANGUAGE
from voice.turns import CallTurns, Turn

log = structlog.get_logger(__name__)

End = Literal[
    "said_goodbye",  # to its end
    "putting_through",  # the caller is to be put through to a colleague
    "lost",  # somebody else holds the call
    "broken",  # nothing can be heard or spoken any more
]

RATE = 16000  #: of what is recognised, samples a second
_SENTENCE = re.compile(r"(?<=[.!?])\s+")


class PhoneCall:
    """A call in a LiveKit room."""

    def __init__(self, call: Conversation, speech: Speech, settings: VoiceSettings) -> None:
        self._call = call
        self._speech = speech
        self._settings = settings
        self._tasks: set[asyncio.Task[None]] = set()
        self.turns = CallTurns(call, replied=self._replied, lost=self._lost)
        self.session: AgentSession[None] = AgentSession(
            stt=speech.stt,
            tts=speech.tts,
            vad=speech.vad,
            llm=GraphLLM(self.turns, settings.holding_after),
            turn_handling=_turn_handling(speech),
            user_away_timeout=None,
            transcription_timeout=RECOGNISED_WITHIN,
            use_tts_aligned_transcript=True,
            aec_warmup_duration=None,
            conn_options=SessionConnectOptions(llm_conn_options=APIConnectOptions(max_retry=0)),
        )
        self._silence = Silence(
            settings.silence_after,
            self._silent,
            speaking=lambda: self.session.user_state == "speaking",
        )
        self._hush = Hush(self.session, speech.stt.caller)
        self._room: rtc.Room | None = None
        self._caller = ""  #: participant's identity
        self._law_said = asyncio.Event()  #: what the law wants said was said
        self._on_hold = False  #: on the way to a colleague
        self._greeted = asyncio.Event()  #: all of the greeting is on its way to the caller
        self._prepared = False  #: for the first question, while the greeting is heard
        self.asks: str | None = None  #: the open question
        self.over = asyncio.Event()  #: nothing more is said on this line
        self.end: End | None = None

    async def start(
        self, room: rtc.Room | None, participant: str | None, speaker: Loudspeaker | None
    ) -> None:
        """Greet the caller. Returns as soon as the line listens and has begun to speak.

        Args:
            room, speaker: None: the session has ears and a mouth already.
        """
        self._room, self._caller = room, participant or ""
        if speaker is not None:
            self.session.output.audio = speaker
        self._speech.follow(self._hush.hear)
        opening = self._call.opening()
        greeting = await self.turns.say(opening)
        self.turns.follow(self.session)
        self.session.on("agent_state_changed", self._state_changed)
        self.session.on("user_input_transcribed", self._understood)
        self.session.on("conversation_item_added", self._timed)
        self.session.on("user_transcription_timeout", lambda _: self._unheard())
        self.session.on("close", lambda _: self._finish("broken"))
        await self.session.start(
            LineAgent(
                self.turns,
                self._speech,
                Backchannels(self.session, self._hush.go_on),
                self._counts,
            ),
            room=room or NOT_GIVEN,
            room_options=self._room_options(),
            session_host=False,
            record=False,
        )
        await self._greet(greeting, opening)

    async def finished(self) -> End:
        """Wait until nothing more is said on this line, and why."""
        await self.over.wait()
        assert self.end is not None
        return self.end

    async def close(self) -> None:
        """Nothing more is heard, and nobody is asked whether they are there."""
        self._finish("broken")
        await self.session.aclose()

    async def go_on(self, caller: CallerTurn) -> None:
        """The caller could not be put through: the line speaks with them again."""
        self.end = None
        self.over.clear()
        self._on_hold = False
        await self._speak(caller)

    def came_back(self) -> None:
        """The caller's network was away for a moment."""
        if self._greeted.is_set() and not self._call.over:
            self._spawn(self._cut_in(CallerTurn(kind="back")))

    async def press(self, keys: str) -> None:
        """The caller pressed keys."""
        await self._cut_in(self._call.pressed(keys))

    async def type(self, text: str) -> None:
        """The caller typed instead of speaking: a turn like a spoken one."""
        await self._cut_in(self._call.spoken(text))

    # What is said without the caller's having spoken ----------------------------------------------------------

    async def _greet(self, turn: Turn, opening: CallerTurn) -> None:
        """What the law wants said can't be interrupted, the question after it can."""
        words = " ".join([one async for one in spoken(self.turns, turn)])
        context = self._call.context
        first, rest = split_greeting(
            words, opening, company=context.company, recorded=context.recorded
        )
        unmissable = self.turns.speak(turn, first, interruptible=False)
        unmissable.add_done_callback(lambda _: self._law_said.set())
        if rest:
            self.turns.speak(turn, rest)
        self._greeted.set()

    async def _cut_in(self, caller: CallerTurn) -> None:
        """A turn that ends whatever is being said."""
        self._silence.broken()
        if await self._counts():
            await self.session.interrupt()
            await self._speak(caller)

    async def _counts(self) -> bool:
        """Does what the caller does now count? Not before the law is obeyed; not for us while they wait for a
        colleague."""
        await self._law_said.wait()
        return not self._on_hold

    async def _speak(self, caller: CallerTurn) -> None:
        turn = await self.turns.say(caller)
        said = answered(self.turns, turn, self._settings.holding_after)
        async with aclosing(said) as pieces:
            async for piece in pieces:
                self.turns.speak(turn, piece.words, holding=piece.holding)

    def _state_changed(self, event: AgentStateChangedEvent) -> None:
        if event.new_state == "speaking" and not self._prepared:
            self._prepared = True
            self._spawn(self._call.prepare())
        if event.new_state == "listening" and not self.over.is_set():
            self._silence.begins()
        else:
            self._silence.ends()

    def _understood(self, event: UserInputTranscribedEvent) -> None:
        if event.transcript:
            self._silence.broken()

    def _unheard(self) -> None:
        """Somebody spoke, and nothing was recognised of it; what does not count yet is no such thing."""
        if self._law_said.is_set() and not self._on_hold:
            self._speech.stt.unheard()

    def _silent(self) -> None:
        if self._room is not None and self._caller not in self._room.remote_participants:
            self._silence.begins()  # they can't be asked
        else:
            self._spawn(self._ask_again())

    async def _ask_again(self) -> None:
        """Silence for too long: the graph asks whether anybody is there, and in the end says goodbye."""
        await self._speak(CallerTurn(kind="silence"))
        if (last := self.turns.last) is not None:
            await last.over()
        if not self.over.is_set() and self.session.agent_state == "listening":
            self._silence.begins()

    # What a reply changes on the line --------------------------------------------------------------------------

    def _replied(self, turn: Turn, reply: Reply) -> None:
        self.asks = reply.asks
        self._speech.expect(reply.asks, reply.language, self._call.terms)
        if self._room is not None:
            shown = self._room.local_participant.set_attributes({LANGUAGE: reply.language})
            self._spawn(shown)  # captions are in it
        self.session.update_options(endpointing_opts=patience(reply.asks, reply.language))
        if reply.ended:
            self._on_hold = self._call.putting_through
            self._spawn(self._end(turn, "putting_through" if self._on_hold else "said_goodbye"))

    async def _end(self, last: Turn, end: End) -> None:
        """The last words are heard to their end, then the line is closed: a caller who cuts in on them goes on."""
        await self._greeted.wait()  # which may be all that is said
        await last.over()
        if not (last.interrupted and end == "said_goodbye"):
            self._finish(end)

    def _finish(self, end: End) -> None:
        self.end = self.end or end
        self.over.set()
        self._silence.ends()

    def _timed(self, event: ConversationItemAddedEvent) -> None:
        """Where the time of a turn went, in milliseconds; `whole_ms` is from the caller's last sound to our first."""
        item = event.item
        if not isinstance(item, ChatMessage):
            return
        stages = {
            "end_of_turn_ms": item.metrics.get("end_of_turn_delay"),
            "words_ms": item.metrics.get("llm_node_ttft"),
            "first_sound_ms": item.metrics.get("tts_node_ttfb"),
            "whole_ms": item.metrics.get("e2e_latency"),
        }
        taken = {name: round(1000 * one) for name, one in stages.items() if one is not None}
        if taken:
            log.info("turn.timed", call_id=str(self._call.record.call_id), **taken)

    def _lost(self) -> None:
        """Somebody else holds the call: this line says nothing any more."""
        log.warning("call.lost", call_id=str(self._call.record.call_id))
        self._finish("lost")

    def _spawn(self, work: Coroutine[object, object, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _room_options(self) -> room_io.RoomOptions:
        async def typed(_: AgentSession[None], event: TextInputEvent) -> None:
            await self.type(event.text)

        return room_io.RoomOptions(
            participant_identity=self._caller,
            audio_input=room_io.AudioInputOptions(
                sample_rate=RATE,
                noise_cancellation=self._speech.suppressor,
                auto_gain_control=False,  # it lifts side voices to the caller's loudness
            ),
            audio_output=False,  # the loudspeaker is there
            text_input=room_io.TextInputOptions(text_input_cb=typed),
            close_on_disconnect=False,
        )


def _turn_handling(speech: Speech) -> TurnHandlingOptions:
    """The local turn detector and pauses only: LiveKit would ask its cloud for the rest when it finds keys."""
    return {
        "turn_detection": speech.turn_detection,
        "endpointing": patience(None, "en"),
        # A recognised word stops the line; a sound alone holds it for a moment (voice/hush.py).
        "interruption": {
            "mode": "vad",
            "min_words": 1,
            "min_duration": 0.2,
            "false_interruption_timeout": 1.0,
            "discard_audio_if_uninterruptible": False,
        },
        "preemptive_generation": {"enabled": True, "preemptive_tts": False},
    }


def split_greeting(
    words: str, opening: CallerTurn, *, company: str, recorded: bool
) -> tuple[str, str]:
    """What can't be interrupted, and the rest: all but the question at first; when a call goes on, who is speaking and
    that it is recorded. "E. Leclerc" looks like two sentences."""
    sentences = _SENTENCE.split(words)
    in_name = len(_SENTENCE.split(company)) - 1
    cut = 1 + in_name + recorded if opening.kind == "resume" else max(len(sentences) - 1, 1)
    return " ".join(sentences[:cut]), " ".join(sentences[cut:])
