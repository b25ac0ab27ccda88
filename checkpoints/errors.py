"""What can go wrong with our memory, sorted by what to do about it.

StorageError         we cannot remember
  StorageDown        the database does not answer: try again
  StorageUnusable    the database answers, and cannot be used as it is: somebody must change something
    WrongKey         the encryption key is not the one this database was made with
    StateUnreadable  a call was written by a release this one does not understand
    MigrationFailed  the tables are not, and cannot be made, what this release needs
  CallNotFound       there is no such call
  LeaseLost          somebody else holds the call: stop writing into it
  TurnSuperseded     the call went on after this turn was forked: discard it
  UndeclaredType     a value of a class nobody declared was about to be saved
  EffectConflict     the key of an effect came back with other arguments
"""

from __future__ import annotations


class StorageError(Exception):
    """Our memory failed."""

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or self.__doc__)


class StorageDown(StorageError):
    """The database does not answer: check DATABASE_URL and that the server is running."""


class StorageUnusable(StorageError):
    """The database cannot be used as it is."""


class WrongKey(StorageUnusable):
    """The encryption key is not the one this database was made with: set HOLDFAST_ENCRYPTION_KEY to that key."""


class StateUnreadable(StorageUnusable):
    """This call was written by another release, and this one cannot read it: use that release, or a newer one."""


class MigrationFailed(StorageUnusable):
    """The tables do not fit this release: run `holdfast migrate` with the release that made them, or a newer one."""


class CallNotFound(StorageError):
    """There is no call with this id: `holdfast calls list` shows them."""


class LeaseLost(StorageError):
    """This call was taken over: nothing more can be written into it from here."""


class TurnSuperseded(StorageError):
    """The call went on after this turn was forked; it can only be discarded."""


class UndeclaredType(StorageError):
    """A value of an undeclared class was about to be saved: declare it in services.CHECKPOINTED."""


class EffectConflict(StorageError):
    """The key of this effect was already used with other arguments; nothing was done."""
