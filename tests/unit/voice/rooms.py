"""A room whose people come and go when the test says so, with LiveKit's own event emitter."""

from __future__ import annotations

from dataclasses import dataclass, field

from livekit import rtc

SIP, STANDARD = (
    rtc.ParticipantKind.PARTICIPANT_KIND_SIP,
    rtc.ParticipantKind.PARTICIPANT_KIND_STANDARD,
)
Reason = rtc.DisconnectReason
JOINED, ACTIVE = (
    rtc.ParticipantState.PARTICIPANT_STATE_JOINED,
    rtc.ParticipantState.PARTICIPANT_STATE_ACTIVE,
)


@dataclass
class FakeParticipant:
    """rtc.RemoteParticipant, as far as it is looked at."""

    identity: str
    kind: rtc.ParticipantKind.ValueType = STANDARD
    attributes: dict[str, str] = field(default_factory=dict)
    disconnect_reason: rtc.DisconnectReason.ValueType | None = None
    state: rtc.ParticipantState.ValueType = ACTIVE


class FakeRoom(rtc.EventEmitter[str]):
    """rtc.Room, as far as it is looked at."""

    def __init__(self, *people: str, name: str = "call-1") -> None:
        super().__init__()
        self.name = name
        self.remote_participants = {one: FakeParticipant(one) for one in people}
        self.connected = True

    def join(self, identity: str, state: rtc.ParticipantState.ValueType = ACTIVE) -> None:
        person = FakeParticipant(identity, state=state)
        self.remote_participants[identity] = person
        self.emit("participant_connected", person)

    def connect(self, identity: str) -> None:
        """Voices go to them and come from them, from now on."""
        person = self.remote_participants[identity]
        person.state = ACTIVE
        self.emit("participant_active", person)

    def leave(self, identity: str, reason: rtc.DisconnectReason.ValueType) -> None:
        person = self.remote_participants.pop(identity)
        person.disconnect_reason = reason
        self.emit("participant_disconnected", person)

    def press(self, digits: str, by: str | None) -> None:
        """As the SIP bridge tells of it."""
        person = FakeParticipant(by) if by else None
        for digit in digits:
            self.emit("sip_dtmf_received", rtc.SipDTMF(code=0, digit=digit, participant=person))

    async def disconnect(self) -> None:
        self.connected = False

    @property
    def followed(self) -> int:
        """How many listeners are left."""
        return sum(len(listeners) for listeners in self._events.values())
