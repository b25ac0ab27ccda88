"""The company's systems for a replay: read as they are, never written. What was done answers from its record."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Literal, NoReturn, Protocol, TypeVar, cast
from uuid import UUID

import structlog
from pydantic import BaseModel

from tools.effects import EffectKey, EffectOutcome
from tools.errors import BackendDown, Refused
from tools.limits import LOOKUPS
from tools.ports import IdentityVault

log = structlog.get_logger(__name__)
R = TypeVar("R", bound=BaseModel)
Port = TypeVar("Port")
CodeVerdict = Literal["ok", "wrong", "expired", "used_up"]


class RecordedEffects(Protocol):
    """What came of the writes that were performed."""

    async def recorded(
        self, key: EffectKey, arguments: BaseModel, result_type: type[R]
    ) -> R | None:
        """None: nothing was done under this key. Raises EffectConflict: something else was."""

    async def is_done(self, key: EffectKey) -> bool: ...


class RecordedAttempts(Protocol):
    """What an identity vault remembers of a call's turns."""

    async def recorded_check(self, call_id: UUID, turn: int) -> CodeVerdict | None: ...

    async def recorded_failure(self, call_id: UUID, turn: int, account: str | None) -> bool: ...


class ReplayedEffects:
    """tools.effects.EffectLog that performs nothing."""

    def __init__(self, records: RecordedEffects) -> None:
        self._records = records
        self.is_done = records.is_done

    async def run_once(
        self,
        key: EffectKey,
        arguments: BaseModel,
        perform: Callable[[], Awaitable[R]],
        result_type: type[R],
    ) -> EffectOutcome[R]:
        """The recorded result of a write that was done in the call.

        Raises:
            Refused: nothing was done under this key, and nothing is.
            BackendDown: the same, for a one-time code: refusing one would say that the account is locked.
        """
        result = await self._records.recorded(key, arguments, result_type)
        if result is not None:
            return EffectOutcome[R](result=result, repeated=True)
        log.info("effect.withheld", effect=key.effect, call_id=str(key.call_id), turn=key.turn)
        if key.effect == "send_code":
            raise BackendDown
        raise Refused("read_only")


class ReplayedVault:
    """tools.ports.IdentityVault that counts nothing: an attempt made in the call ends as it did then."""

    def __init__(self, vault: IdentityVault, attempts: RecordedAttempts) -> None:
        self.locked = vault.locked
        self._attempts = attempts

    async def record_failure(
        self, *, call_id: UUID, turn: int, account: str | None, caller_key: str | None
    ) -> None:
        """Raises BackendDown: this failure was never counted, and is not now."""
        if not await self._attempts.recorded_failure(call_id, turn, account):
            raise BackendDown

    async def issue_code(self, *, call_id: UUID, customer_id: str) -> NoReturn:
        raise BackendDown

    async def check_code(
        self, *, call_id: UUID, customer_id: str, code: str, turn: int
    ) -> CodeVerdict:
        """As judged in the call, whatever the code is now: the call's own code is known to nobody any more."""
        verdict = await self._attempts.recorded_check(call_id, turn)
        if verdict is None:
            raise BackendDown
        return verdict


class _ReadOnly:
    """A port whose look-ups pass and whose writes are refused."""

    def __init__(self, port: object) -> None:
        self._port = port

    def __getattr__(self, name: str) -> object:
        method = getattr(self._port, name)
        return method if name in LOOKUPS else _refused


async def _refused(*_: object, **__: object) -> NoReturn:
    raise Refused("read_only")


def read_only(port: Port) -> Port:
    """The port without its writes. Same type to whoever uses it."""
    return cast("Port", _ReadOnly(port))
