"""What can go wrong between the caller's ear and the conversation, sorted by who acts on it.

VoiceError        we cannot hear or speak
  ProviderUnset   a provider of speech is configured without its key: whoever runs the line sets it
  LineIncomplete  something that the line on one machine needs is not there; the text says what to do
  LiveKitRefuses  LiveKit does not take the keys: the text says what to look at
  LiveKitAway     LiveKit does not answer: it may come, or the address is wrong
  CommandFailed   a command of the machine's did not do it: whoever ran it says what that means
"""

from __future__ import annotations


class VoiceError(Exception):
    """The line cannot hear or speak."""

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or self.__doc__)


class ProviderUnset(VoiceError):
    """A provider of speech has no key."""


class LineIncomplete(VoiceError):
    """Something that the line needs is not on this machine."""


class LiveKitRefuses(VoiceError):
    """LiveKit does not take the keys."""


class LiveKitAway(VoiceError):
    """LiveKit does not answer."""


class CommandFailed(VoiceError):
    """A command failed, or took too long; the text is what it complained of."""
