"""The composition root: builds everything a call needs from Settings. Entry points use this and nothing below it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from time import monotonic
from typing import Any, Literal
from uuid import UUID

import langsmith
import stamina
import structlog
from pydantic import BaseModel, ConfigDict, Field

from adapters import CompanyConnections, EffectLogOnDatabase, FencedStaff, FencedVault
from callers import Caller, caller_of
from checkpoints.calls import BEAT, LEASE, CallRegister, Lease
from checkpoints.cipher import Cipher, check_key, load_cipher
from checkpoints.database import Database
from checkpoints.effects import PostgresEffectLog
from checkpoints.embedded import embedded_server
from checkpoints.errors import StorageDown, StorageError
from checkpoints.migrations import FOLDER as CHECKPOINT_MIGRATIONS
from checkpoints.migrations import migrate, read_migrations
from checkpoints.saver import PooledSaver, open_saver
from checkpoints.serializer import StateShape
from checkpoints.turn_saver import TurnSaver
from conversation import Conversation
from deadline import bounded
from graph.build import compiled
from graph.context import CallContext, Desk
from graph.state import CallerTurn, Case, Lang, Said
from graph.trouble import unavailable
from graph.understanding.cascade import Cascade
from graph.upgrades import STATE_VERSION, UPGRADES
from graph.wording.speak import FluentWording
from logs import configure_logs
from settings import Settings
from tools.errors import BackendDown
from tools.knowledge import answer
from tools.limits import Breaker, Limits, Window, guarded
from tools.postgres import MIGRATIONS as COMPANY_MIGRATIONS
from tools.postgres import (
    Embedder,
    Loaded,
    OpenAIEmbedder,
    PostgresCompany,
    import_company,
    read_topics,
)
from tools.records import Level, Passage
from understanders import Understanding, understanding_of

log = structlog.get_logger(__name__)
MIGRATION_FOLDERS = {"checkpoints": CHECKPOINT_MIGRATIONS, "company": COMPANY_MIGRATIONS}
#: Everything of ours that a checkpoint may hold; the saver refuses any other class.
CHECKPOINTED = StateShape((CallerTurn, Case, Said, Level), STATE_VERSION, UPGRADES)
#: Seconds a call is tried to be answered; then the caller hears that it can't be.
ANSWER_SECONDS = 4.0
#: Leases of other processes that ran out may be seen a little later than one's own are renewed.
BEATS_PER_LOOK = 5
#: Seconds a reply waits for what the demo notifier sends with it.
NOTICE_SECONDS = 1.0


class SentNotice(BaseModel):
    """What the demo notifier sends, as the terminal shows it."""

    model_config = ConfigDict(frozen=True)

    type: Literal["notice"] = "notice"
    to: str  #: masked
    channel: Literal["sms", "email"]
    body: str
    kind: str = Field(exclude=True)  #: what it is about; not part of the JSON line


def running_clock(starts: datetime | None) -> Callable[[], datetime]:
    """The time of day; from `starts` on, when a call is to begin at another time than now."""
    if starts is None:
        return lambda: datetime.now(UTC)
    began = monotonic()
    return lambda: starts + timedelta(seconds=monotonic() - began)


@dataclass(frozen=True)
class Services:
    """Everything of a process that takes calls."""

    settings: Settings
    database: Database
    cipher: Cipher
    register: CallRegister
    company: PostgresCompany
    effect_log: PostgresEffectLog
    saver: PooledSaver
    graph: Any  # a compiled graph; LangGraph's own type is generic over internals
    understander: Understanding
    wording: FluentWording
    clock: Callable[[], datetime]
    lookups: Window
    breakers: dict[str, Breaker]

    async def answer(
        self, number: str | None, language: Lang | None, call_id: UUID | None = None
    ) -> Conversation:
        """Pick up: a dropped call of this number inside the window goes on, else a new one begins.

        Args:
            call_id: the call that goes on, when that is known: its worker died, and the caller is still there.

        Raises:
            InvalidCaller: the number cannot be one.
            StorageDown: after a few seconds, for `unavailable` to be said.
        """
        caller = caller_of(number, self.settings)
        try:
            return await bounded(self._picked_up(caller, language, call_id), ANSWER_SECONDS)
        except TimeoutError:
            raise StorageDown from None

    def unavailable(self, number: str | None, language: Lang | None) -> str:
        """What a caller hears whose call can't be answered now."""
        return unavailable_text(self.settings, number, language)[0]

    async def _picked_up(
        self, caller: Caller, language: Lang | None, call_id: UUID | None
    ) -> Conversation:
        """As often as it takes: a restart is over in a moment."""
        async for attempt in stamina.retry_context(
            on=StorageDown,
            attempts=None,
            timeout=None,
            wait_initial=0.1,
            wait_max=0.5,
            wait_jitter=0.1,
        ):
            with attempt:
                return await self._begun(caller, language, call_id)
        raise AssertionError

    async def _begun(
        self, caller: Caller, language: Lang | None, call_id: UUID | None
    ) -> Conversation:
        caller_hash = self.cipher.keyed_hash(caller.number) if caller.number else None
        window = self.settings.calls.resume_window
        record = await self.register.take_up(call_id) if call_id else None
        record = record or await self.register.resume(caller_hash, window)
        if record is None:
            record = await self.register.begin(caller_hash, language or caller.language)
        memory = TurnSaver(
            self.saver, self.database, self.register, record.lease, fresh=record.legs == 1
        )
        try:
            await memory.load()
        except BaseException:
            self.register.let_go(record.lease)  # nobody will speak with this caller
            raise
        if isinstance(self.understander, Cascade):
            self.understander.prepare()
        return Conversation(
            record=record,
            register=self.register,
            memory=memory,
            context=self.context_of(record.lease, caller, caller_hash),
            utterance_limit=self.settings.calls.utterance_limit,
            keyed_hash=self.cipher.keyed_hash,
        )

    def at(self, clock: Callable[[], datetime]) -> Services:
        """The same systems at another time: for replays."""
        return replace(self, clock=clock, company=self.company.at(clock))

    def context_of(self, lease: Lease, caller: Caller, caller_hash: str | None) -> CallContext:
        """What the runs of one call are given. Under a lease that is not the call's, no effect can happen."""
        return CallContext(
            call_id=lease.call_id,
            desk=self._desk(lease),
            understander=self.understander,
            wording=self.wording,
            clock=self.clock,
            company=self.settings.company.name,
            caller_number=caller.number,
            caller_key=caller_hash,
            country=caller.country,
            zone=caller.zone,
            recorded=self.settings.calls.recorded,
        )

    def _desk(self, lease: Lease) -> Desk:
        of_call = Window(self.settings.limits.lookups_per_call_minute, 60.0)
        limits = Limits(self.settings.limits.lookup_seconds, of_call, self.lookups, self.breakers)
        company = self.company
        return Desk(
            customers=guarded(company.customers, limits),
            orders=guarded(company.orders, limits),
            callbacks=guarded(company.callbacks, limits),
            knowledge=guarded(company.knowledge, limits),
            staff=guarded(FencedStaff(company.staff, self.database, lease), limits),
            notices=company.notices.of_call(lease.call_id),
            vault=guarded(FencedVault(company.vault, self.database, lease), limits),
            effects=guarded(EffectLogOnDatabase(self.effect_log, lease), limits),
        )

    async def done_in(self, call_id: UUID) -> tuple[str, ...]:
        """Names of what was done in a call, codes sent left out."""
        return tuple(name for name in await self.effect_log.done(call_id) if name != "send_code")

    async def sent_notices(self, conversation: Conversation) -> tuple[SentNotice, ...]:
        """What the demo notifier sends for a call since the last time it was asked.

        With the database away nothing is: it comes the next time.
        """
        if conversation.memory.behind:
            return ()
        try:
            return await bounded(self.notices_of(conversation.record.call_id), NOTICE_SECONDS)
        except (BackendDown, TimeoutError):
            return ()

    async def notices_of(self, call_id: UUID) -> tuple[SentNotice, ...]:
        """What `sent_notices` gives, by the call's id."""
        queued = await self.company.notices.take(call_id)
        return tuple(
            SentNotice(
                to=one.masked_to, channel=one.notice.channel, body=one.notice.body, kind=one.kind
            )
            for one in queued
        )

    async def warm_up(self) -> None:
        """Load the models now: in a process that takes many calls, none is to wait for another's first words."""
        await asyncio.to_thread(self.understander.warm_up)
        await self.company.knowledge.learn()

    async def import_company(self, customers: Path | None, orders: Path | None) -> Loaded:
        """Raises ImportFailed, with every problem."""
        return await import_company(self.database, customers, orders)

    async def load_faq(self, folder: Path) -> int:
        """Raises FaqInvalid."""
        count = await self.company.knowledge.load(read_topics(folder))
        await self.company.knowledge.learn_meanings()
        await self.company.knowledge.learn()
        return count

    @property
    def migrations(self) -> int:
        """How many this release has; all are applied once services are open."""
        return len(read_migrations(MIGRATION_FOLDERS))

    async def ask_faq(self, question: str, language: Lang) -> Passage | None:
        return await answer(self.company.knowledge, question, language)


def unavailable_text(
    settings: Settings, number: str | None, language: Lang | None
) -> tuple[str, Lang]:
    """What a caller hears whose call can't be answered now, and in which language."""
    spoken = language or caller_of(number, settings).language
    return FluentWording().speak((unavailable(settings.company.name),), spoken), spoken


@asynccontextmanager
async def open_services(
    settings: Settings,
    *,
    starts: datetime | None = None,
    clock: Callable[[], datetime] | None = None,
    demo: bool = True,
    understander: Understanding | None = None,
) -> AsyncIterator[Services]:
    """Database, migrations, key check, graph: ready to answer.

    Args:
        starts: the process's time begins here instead of now.
        clock: replaces the clock altogether.
        demo: fill an empty company with the demo data.
        understander: one whose models are loaded.

    Raises:
        StorageError: with one sentence that says what to do.
    """
    configure_logs(settings.log_level)
    langsmith.configure(
        enabled=False
    )  # LANGSMITH_TRACING in the environment would send out what callers say
    now = clock or running_clock(starts)
    with ExitStack() as stack:
        dsn = settings.database_url.get_secret_value() if settings.database_url else None
        if dsn is None:
            dsn = stack.enter_context(embedded_server(settings.home))
        database = Database(
            dsn,
            pool_min=settings.postgres.pool_min,
            pool_max=settings.postgres.pool_max,
            pooler=settings.postgres.pooler,
        )
        async with database:
            reading = understander or understanding_of(settings)
            services = await _services(settings, database, now, reading, demo=demo)
            async with (
                _leases_kept(services.register),
                _meanings_learned(services.company),
                _connections_of(reading),
            ):
                yield services


@asynccontextmanager
async def _leases_kept(register: CallRegister) -> AsyncIterator[None]:
    """This process's calls stay its own for as long as it lives and the database can be told so."""

    async def keep() -> None:
        for beat in count(1):
            await asyncio.sleep(BEAT.total_seconds())
            try:
                await bounded(register.keep_alive(), LEASE.total_seconds() / 3)
                if beat % BEATS_PER_LOOK == 0:
                    await bounded(register.mark_interrupted(), LEASE.total_seconds() / 3)
            except (StorageError, TimeoutError):
                log.warning("leases.not_renewed")

    keeping = asyncio.create_task(keep(), name="leases")
    try:
        yield
    finally:
        keeping.cancel()
        await asyncio.wait({keeping})


@asynccontextmanager
async def _meanings_learned(company: PostgresCompany) -> AsyncIterator[None]:
    """Beside the calls: until it is done, and wherever it fails, questions are matched by their words."""

    async def learn() -> None:
        try:
            await company.knowledge.learn_meanings()
        except BackendDown:
            log.warning("knowledge.not_embedded", reason="backend_down")

    learning = asyncio.create_task(learn(), name="meanings")
    try:
        yield
    finally:
        learning.cancel()
        await asyncio.wait({learning})
        await company.knowledge.close()


@asynccontextmanager
async def _connections_of(understander: Understanding) -> AsyncIterator[None]:
    try:
        yield
    finally:
        if isinstance(understander, Cascade):
            await understander.close()


def _embedder(settings: Settings) -> Embedder | None:
    """Nothing goes over the network without a key."""
    key = settings.openai_api_key
    if key is None or not key.get_secret_value():
        return None
    return OpenAIEmbedder(key, settings.embedding_model, settings.openai_base_url)


async def _services(
    settings: Settings,
    database: Database,
    clock: Callable[[], datetime],
    understander: Understanding,
    *,
    demo: bool,
) -> Services:
    await migrate(database, MIGRATION_FOLDERS)
    key = settings.encryption_key.get_secret_value() if settings.encryption_key else None
    cipher = load_cipher(settings.home, key)
    await check_key(database, cipher)
    company = PostgresCompany(
        CompanyConnections(database),
        clock,
        cipher,
        staff=settings.company.staff,
        embedder=_embedder(settings),
        folder=settings.cache,
    )
    await company.settle(demo=demo)
    saver = open_saver(database, cipher, CHECKPOINTED)
    return Services(
        settings=settings,
        database=database,
        cipher=cipher,
        register=CallRegister(database, clock),
        company=company,
        effect_log=PostgresEffectLog(database, cipher),
        saver=saver,
        graph=compiled(saver),
        understander=understander,
        wording=FluentWording(),
        clock=clock,
        lookups=Window(settings.limits.lookups_per_second, 1.0),
        breakers={},
    )
