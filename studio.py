"""Holdfast in LangGraph Studio: what `langgraph.json` names, and what keeps Studio from changing a call.

`langgraph dev` asks for three things by name: `checkpointer` (which opens everything else), `graph` and `app`.
A thread is a call, and its id the call's id: a call made anywhere opens here by its id, its state decrypted.

Studio replays. A turn run here reads the database as it is. Its checkpoints go to memory, for the life of the server,
and nothing it does is performed: a write that was done in the call answers from its record, any other is refused with
a sentence. So it is with calls begun here, too. With HOLDFAST_STUDIO__WRITES=true a turn run here is a turn of the
call instead: it is saved, registered, and changes what it changes.
"""

from __future__ import annotations

import asyncio
import re
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, cast
from uuid import UUID, uuid4

import langsmith
from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import BaseCheckpointSaver, CheckpointTuple
from langgraph.checkpoint.memory import PersistentDict
from langgraph.graph.state import CompiledStateGraph
from langgraph_sdk import get_client
from pydantic import BaseModel, ConfigDict, Field
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

from adapters import EffectLogOnDatabase
from callers import caller_of
from checkpoints.calls import CallRecord, CallRegister, Lease
from checkpoints.errors import LeaseLost, StorageError
from checkpoints.replays import SECONDS_BACK, KeptCalls, Replays
from conversation import turn_record
from graph.build import STEPS_PER_TURN, build
from graph.context import CallContext, Desk
from graph.state import CallerTurn, CallState, Lang, TurnInput
from services import Services, open_services
from settings import Settings
from tools.errors import NotFound
from tools.replay import ReplayedEffects, ReplayedVault, read_only

GRAPH = "holdfast"
REPLAYING = "ready. Whatever is run here is a replay, and changes nothing in the database."
WRITING = (
    "ready. HOLDFAST_STUDIO__WRITES is on: turns run here are saved, and change what they change."
)
LISTED = 100  # calls in Studio's list; an older one opens by its id

_THREAD = re.compile(
    r"/threads/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})(?:/.*)?", re.IGNORECASE
)
_LIST = re.compile(r"/threads/(?:search|count)")


class StudioCall(BaseModel):
    """How a call comes in, for a run in Studio. Of a call that was made, what is known of it stands in."""

    model_config = ConfigDict(frozen=True)

    from_: str | None = Field(default=None, alias="from", description="the caller's number")
    language: Lang | None = Field(default=None, description="the language the line greets in")
    now: datetime | None = Field(
        default=None, description="the time of day; in a replay, that of the turn before by itself"
    )


@dataclass(frozen=True)
class Recorded:
    """A call that is in the database."""

    record: CallRecord
    number: str | None  #: the caller's, when what is on file tells
    ahead: timedelta  #: of the call's clock before the database's: `holdfast call --now` moves it


@dataclass(frozen=True)
class Turn:
    """One run of the graph: what it is given."""

    context: CallContext
    language: Lang
    seconds_back: float
    lease: Lease | None  #: None: a replay

    def input_of(self, given: object) -> object:
        """The caller's turn, in the call's language when it names none."""
        if not isinstance(given, Mapping) or not isinstance(given.get("caller"), Mapping):
            return given
        caller = CallerTurn.model_validate({"language": self.language, **given["caller"]})
        return {**given, "caller": caller}

    def config_of(self, given: RunnableConfig) -> RunnableConfig:
        configurable = {**given.get("configurable", {}), SECONDS_BACK: self.seconds_back}
        return {**given, "configurable": configurable, "recursion_limit": STEPS_PER_TURN}


class StudioGraph(CompiledStateGraph[CallState, CallContext, TurnInput, CallState]):
    """The graph, finding its CallContext by itself: the server that runs it knows of threads, not of calls."""

    def __init__(self, *, studio: Studio, **parts: Any) -> None:
        super().__init__(**parts)
        self.studio = studio

    async def astream(
        self,
        input: Any,  # noqa: A002 - LangGraph's name
        config: RunnableConfig | None = None,
        *,
        context: Any = None,
        **options: Any,
    ) -> AsyncIterator[Any]:
        given = config or {}
        turn = await self.studio.turn(self, given, StudioCall.model_validate(context or {}))
        run: Any = super().astream(
            cast("TurnInput", turn.input_of(input)),
            turn.config_of(given),
            context=turn.context,
            **options,
        )
        async with aclosing(run) as parts:
            async for part in parts:
                yield part
        await self.studio.ran(self, turn)


class Studio:
    """What the server's three parts share, from its start to its end."""

    def __init__(self, services: Services) -> None:
        self.services = services
        self.register: CallRegister = services.register
        self.writes = services.settings.studio.writes
        self.saver: BaseCheckpointSaver[str] = (
            KeptCalls(services.database, services.saver, self.register)
            if self.writes
            else Replays(services.saver)
        )
        parts = dict(vars(build().compile(name=GRAPH)), context_schema=StudioCall)
        parts.pop("__orig_class__", None)
        self.graph = StudioGraph(studio=self, **parts)

    async def turn(self, graph: StudioGraph, config: RunnableConfig, given: StudioCall) -> Turn:
        """What a run on this thread is given."""
        call_id = UUID(str(config.get("configurable", {}).get("thread_id") or uuid4()))
        recorded = await self._recorded(call_id)
        record = recorded.record if recorded else None
        number = given.from_ or (recorded.number if recorded else None)
        caller = caller_of(number, self.services.settings)
        caller_hash = record.caller_hash if record else None
        if caller.number:
            caller_hash = self.services.cipher.keyed_hash(caller.number)
        language = given.language or (record.language if record else caller.language)
        back = await self._seconds_back(graph, config, given, recorded)
        services = self.services.at(lambda: datetime.now(UTC) - timedelta(seconds=back))
        if self.writes:
            lease = await self._lease(call_id, record, caller_hash, language)
            context = services.context_of(lease, caller, caller_hash)
            return Turn(context, language, back, lease)
        nobody = Lease(call_id=call_id, counter=-1)
        context = services.context_of(nobody, caller, caller_hash)
        desk = replayed(context.desk, services, nobody)
        return Turn(replace(context, desk=desk), language, back, None)

    async def ran(self, graph: StudioGraph, turn: Turn) -> None:
        """After a turn that was one of the call: it is registered, and what the demo notifier sends is shown here."""
        if turn.lease is None:
            return
        call_id = turn.context.call_id
        state = await graph.aget_state({"configurable": {"thread_id": str(call_id)}})
        if state.next:
            return  # stopped at a breakpoint
        async with self.services.database.transaction() as connection:
            values = cast("CallState", state.values)
            record = turn_record(values, turn.context, self.services.cipher.keyed_hash)
            await self.register.write_turn(connection, turn.lease, record)
        await self.register.interrupt(turn.lease)  # between two turns nobody is on the line
        for notice in await self.services.notices_of(call_id):
            say(notice.model_dump_json())

    async def _recorded(self, call_id: UUID) -> Recorded | None:
        record = await self.register.find(call_id)
        if record is None:
            return None
        place = {"thread_id": str(call_id), "checkpoint_ns": ""}
        newest = await self.services.saver.aget_tuple({"configurable": place})
        if newest is None:
            return Recorded(record, None, timedelta(0))
        saved_at = datetime.fromisoformat(newest.checkpoint["ts"])
        number = await self._number(record, newest)
        return Recorded(record, number, record.last_turn_at - saved_at)

    async def _number(self, record: CallRecord, newest: CheckpointTuple) -> str | None:
        """The register keeps a hash. It tells whether the number on file with the account is the one that called."""
        case = newest.checkpoint["channel_values"].get("case")
        for customer_id in case.identity.candidates if case else ():
            try:
                customer = await self.services.company.customers.get(customer_id)
            except NotFound:
                continue
            if self.services.cipher.keyed_hash(customer.phone) == record.caller_hash:
                return customer.phone
        return None

    async def _seconds_back(
        self,
        graph: StudioGraph,
        config: RunnableConfig,
        given: StudioCall,
        recorded: Recorded | None,
    ) -> float:
        """How far the call's clock is behind.

        In a replay it is as late as when the turn before ended: time stands still while a developer thinks, and
        an identity proven in yesterday's call has not lapsed overnight.
        """
        now = datetime.now(UTC)
        if given.now is not None:
            aware = given.now if given.now.tzinfo else given.now.replace(tzinfo=UTC)
            return (now - aware).total_seconds()
        before = await graph.aget_state(config) if graph.checkpointer else None
        if before is None or before.created_at is None:
            return 0.0
        kept: float | None = cast("Any", before.metadata or {}).get(SECONDS_BACK)
        if self.writes:
            return kept or 0.0
        then = datetime.fromisoformat(before.created_at) - timedelta(seconds=kept or 0.0)
        if recorded is not None and kept is None:
            then += recorded.ahead
        return (now - then).total_seconds()

    async def _lease(
        self, call_id: UUID, record: CallRecord | None, caller_hash: str | None, language: Lang
    ) -> Lease:
        """The right to write into the call; a call begun in Studio is registered like any other.

        Raises:
            LeaseLost: a caller is on the line.
        """
        if record is None:
            begun = await self.register.begin(caller_hash, language, call_id)
            return begun.lease
        until = record.lease_expires_at
        if record.state == "live" and until is not None and until > datetime.now(UTC):
            msg = "somebody is on the line in this call: wait until they hang up"
            raise LeaseLost(msg)
        return await self.register.take_over(call_id)


def replayed(desk: Desk, services: Services, nobody: Lease) -> Desk:
    """The company's systems, without anything that writes."""
    records = EffectLogOnDatabase(services.effect_log, nobody)
    return Desk(
        customers=read_only(desk.customers),
        orders=read_only(desk.orders),
        callbacks=read_only(desk.callbacks),
        knowledge=read_only(desk.knowledge),
        staff=read_only(desk.staff),
        notices=read_only(desk.notices),
        vault=ReplayedVault(desk.vault, services.company.vault),
        effects=ReplayedEffects(records),
    )


class CallsAsThreads:
    """ASGI middleware: the server, which lists its threads in memory, learns of a call when somebody asks for it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._known: set[UUID] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = str(scope.get("path", ""))
        one = _THREAD.fullmatch(path)
        if one is not None:
            await self._show(UUID(one[1]))
            if scope.get("method") == "DELETE":
                self._known.discard(UUID(one[1]))
        elif _LIST.fullmatch(path):
            for call_id in reversed(await running().register.recent(LISTED)):
                await self._show(call_id)
        await self._app(scope, receive, send)

    async def _show(self, call_id: UUID) -> None:
        if call_id in self._known or await running().register.find(call_id) is None:
            return
        threads = get_client().threads  # in this process: no address given
        await threads.create(thread_id=str(call_id), graph_id=GRAPH, if_exists="do_nothing")
        self._known.add(call_id)  # only now: Studio asks for several things of a thread at once


# What langgraph.json names --------------------------------------------------------------------------------


class _Server:
    """The server calls its factories by name and passes nothing from one to the other."""

    studio: Studio | None = None


def running() -> Studio:
    """The Studio of this process, once the server has opened its checkpointer."""
    assert _Server.studio is not None
    return _Server.studio


@asynccontextmanager
async def checkpointer() -> AsyncIterator[BaseCheckpointSaver[str]]:
    """Entered before the first request, left when the server stops: the database is opened and closed here."""
    keep_private()
    try:
        async with open_services(Settings()) as services:
            # In a thread and now: read in a node, their files would block the server's loop.
            await asyncio.to_thread(services.understander.warm_up)
            _Server.studio = Studio(services)
            say(f"Holdfast: {WRITING if running().writes else REPLAYING}")
            yield running().saver
    except StorageError as error:
        say(f"Holdfast: {error}")
        raise
    finally:
        _Server.studio = None


def graph() -> StudioGraph:
    """The graph factory; the server gives what it returns the checkpointer."""
    return running().graph


#: Only this machine asks (and the server itself, as "api"): a page that resolves its own name to it does not get in.
#: Which pages may read the answers says langgraph.json (cors): Studio's.
app = Starlette(
    middleware=[
        Middleware(TrustedHostMiddleware, allowed_hosts=["127.0.0.1", "localhost", "api"]),
        Middleware(CallsAsThreads),
    ]
)


def keep_private() -> None:
    """What callers say goes to whoever asks this server, and nowhere else.

    The server pickles its threads and runs to .langgraph_api every ten seconds, in clear, and its CLI drops the setting
    that would stop it (langgraph-cli 0.4.40). And a LANGCHAIN_TRACING_V2 in a developer's environment would send every
    run to LangSmith, whatever the Makefile says.
    """
    PersistentDict.sync = _not_synced  # type: ignore[method-assign, assignment]
    langsmith.configure(enabled=False)


def _not_synced(_: PersistentDict) -> None: ...


def say(line: str) -> None:
    """To whoever runs the server."""
    sys.stderr.write(line + "\n")
