"""The worker: waits for LiveKit's jobs and answers each caller in a process of its own."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack

import aiohttp
import structlog
from livekit import api, rtc
from livekit.agents import Agent, AgentServer, AgentSession, JobContext, JobProcess, room_io

from checkpoints.errors import StorageError
from conversation import Conversation
from logs import is_about
from services import Services, open_services, unavailable_text
from settings import LiveKitSettings, Settings
from voice.call import End, PhoneCall
from voice.connection import Connection
from voice.errors import LiveKitAway, LiveKitRefuses
from voice.hand_over import hand_over
from voice.load import load
from voice.loudspeaker import Loudspeaker
from voice.presence import Ending
from voice.rescue import Rescued, call_to_take_up, known_as
from voice.speech import Speech, build
from voice.telephony import Keypad, caller_in
from voice.transfer import PutThrough, parted, reachable

log = structlog.get_logger(__name__)
PRELOADED = "voice.preload"
SETTINGS = "settings"  #: in a process's userdata
CALL = "holdfast.call"  #: our participant's attribute
LOOP_MONITOR = "LIVEKIT_AGENTS_LOOP_BLOCK_WARN_MS"
#: Before a process makes itself ready. It is there because a caller took the one before: they are greeted first.
AFTER_YOU_SECONDS = 1.0
STARTING_SECONDS = 60.0  #: a process may take to start, on a busy machine
KEYS_REFUSED = (401, 403)
NO_ROOM = "call-of-nobody"
GIVEN_UP = "failed to connect to livekit"  #: LiveKit's RuntimeError, after some twenty tries
STOPPING = (signal.SIGTERM, signal.SIGINT)


async def ask(livekit: LiveKitSettings) -> None:
    """Does LiveKit answer, and take these keys? Its own client says so after two minutes, and without the reason.

    Raises:
        LiveKitRefuses, LiveKitAway: no; the text says which variable to look at.
    """
    secret = livekit.api_secret.get_secret_value()
    async with api.LiveKitAPI(livekit.url, livekit.api_key, secret) as client:
        try:
            await client.room.list_rooms(api.ListRoomsRequest(names=[NO_ROOM]))
        except api.ServerError as error:
            if error.status not in KEYS_REFUSED:
                raise LiveKitAway(f"LIVEKIT_URL={livekit.url}: it says {error.code}") from None
            text = "LIVEKIT_API_KEY and LIVEKIT_API_SECRET are not of this LiveKit"
            raise LiveKitRefuses(f"LIVEKIT_URL={livekit.url}: {text}") from None
        except (aiohttp.ClientError, TimeoutError, ValueError):
            raise LiveKitAway(f"LIVEKIT_URL={livekit.url}: nobody answers there") from None


async def serve(server: AgentServer) -> None:
    """Take calls until told to stop; then finish those that are going on, and take no more.

    Raises:
        LiveKitAway: it did not answer for some two minutes.
    """
    stopped = asyncio.Event()
    for one in STOPPING:
        asyncio.get_running_loop().add_signal_handler(one, stopped.set)
    running = asyncio.create_task(server.run(), name="server")
    stopping = asyncio.create_task(stopped.wait(), name="stopping")
    await asyncio.wait({running, stopping}, return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    if not running.done():
        for one in STOPPING:
            asyncio.get_running_loop().remove_signal_handler(one)  # the second time ends it
        log.info("worker.stopping", count=len(server.active_jobs))
        await server.drain()
        await server.aclose()
    try:
        await running
    except RuntimeError as error:
        if GIVEN_UP in str(error):
            raise LiveKitAway("LiveKit did not answer for too long") from None
        raise


def agent_server(settings: Settings) -> AgentServer:
    """LiveKit's side of the worker.

    Raises:
        ValueError: LiveKit's address or keys are missing.
    """
    # LiveKit watches each process's event loop twenty times a second: half of what an idle one takes. It tells the log,
    # which keeps no text of a library's.
    os.environ.setdefault(LOOP_MONITOR, "0")
    livekit = settings.livekit
    server = AgentServer(
        ws_url=livekit.url,
        api_key=livekit.api_key,
        api_secret=livekit.api_secret.get_secret_value(),
        port=settings.voice.http_port,
        num_idle_processes=settings.voice.idle_processes,
        initialize_process_timeout=STARTING_SECONDS,
        preload_modules=[PRELOADED],
        setup_fnc=get_ready,
        load_fnc=_load_of(settings.voice.calls_per_worker),
    )
    server.rtc_session(answer, agent_name=settings.voice.agent_name)
    server.on("worker_registered", _registered)
    return server


def _load_of(most_calls: int) -> Callable[[AgentServer], float] | None:
    """None: LiveKit's own measure, the processor's load."""
    if not most_calls:
        return None
    return lambda server: load(len(server.active_jobs), most_calls)


def _registered(worker_id: str, _: object) -> None:
    log.info("worker.registered", worker_id=worker_id)


def get_ready(process: JobProcess) -> None:
    """Before there is a call: read the settings, and find the models that the fork server has loaded."""
    from voice import preload

    assert preload.UNDERSTANDER
    time.sleep(AFTER_YOU_SECONDS)
    rtc.AudioProcessingModule()  # starts LiveKit's native side, which no fork inherits
    process.userdata[SETTINGS] = Settings()


async def answer(job: JobContext) -> None:
    """One call, from the caller's joining to their leaving."""
    settings: Settings = job.proc.userdata[SETTINGS]
    joined = asyncio.create_task(_joined(job), name="joined")
    speech = build(settings)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(speech.aclose)
        try:
            services = await stack.enter_async_context(_services(settings))
            caller, speaker = await joined
            who = caller_in(caller, settings.company.country)
            lost = call_to_take_up(job.job.metadata)
            call = await services.answer(who.number, who.language, lost.call if lost else None)
            call.stayed = lost is not None and _stayed(lost, call, caller)
            if not reachable(settings.voice, by_phone=who.kind == "phone"):
                call.puts_nobody_through()
        except StorageError:
            log.error("call.not_answered")  # noqa: TRY400 - the storage has logged why
            caller, speaker = await joined
            await _turn_away(job, settings, speech, caller, speaker)
            return
        is_about(str(call.record.call_id))
        log.info("call.begun", way=who.kind, sip_call_id=who.call_id)
        await _talk(job, settings, call, speech, caller, speaker)


def _stayed(lost: Rescued, call: Conversation, caller: rtc.RemoteParticipant) -> bool:
    """Is this the caller of the call that is taken up, who never left? Another may have come while we started."""
    return (lost.call, lost.stayed) == (call.record.call_id, caller.sid)


async def _joined(job: JobContext) -> tuple[rtc.RemoteParticipant, Loudspeaker]:
    """The caller, and what they hear: negotiated while everything else is made ready."""
    await job.connect()
    speaker = Loudspeaker(job.room)
    job.add_shutdown_callback(speaker.aclose)
    return await job.wait_for_participant(), speaker


def _services(settings: Settings) -> AbstractAsyncContextManager[Services]:
    from voice import preload

    return open_services(settings, understander=preload.UNDERSTANDER)


async def _talk(
    job: JobContext,
    settings: Settings,
    call: Conversation,
    speech: Speech,
    caller: rtc.RemoteParticipant,
    speaker: Loudspeaker,
) -> None:
    """Until the line has said goodbye, the caller has left, or a colleague has them."""
    phone = PhoneCall(call, speech, settings.voice)
    connection = Connection(
        job.room, caller.identity, call, blip=settings.voice.blip, back=phone.came_back
    )
    keypad = Keypad(job.room, caller.identity, asks=lambda: phone.asks, press=phone.press)
    known = asyncio.create_task(_make_known(job, call), name="known")
    try:
        await phone.start(job.room, caller.identity, speaker)
        while (end := await _first_end(phone, connection)) == "putting_through":
            if await _put_through(job, settings, call, caller, phone, connection):
                return
            if not await connection.still_there():
                end = await connection.over()
                break
            await phone.go_on(call.not_put_through())
        if end == "said_goodbye":
            connection.hang_up()
        if end != "lost":  # then another worker speaks with them in this room
            await phone.close()
            # The caller does not wait for the record.
            await asyncio.gather(connection.close(), job.delete_room())
    finally:
        keypad.close()
        known.cancel()
        await connection.close()
        await phone.close()
        job.shutdown()


async def _make_known(job: JobContext, call: Conversation) -> None:
    """Rescue has to find out which call is spoken in this room, and so has the page a caller sees."""
    call_id = str(call.record.call_id)
    try:
        await job.room.local_participant.set_attributes({CALL: call_id})
        await known_as(job.api, job.room.name, call.record.call_id)
    except (api.ServerError, aiohttp.ClientError, TimeoutError):
        log.warning("call.not_made_known")


async def _first_end(phone: PhoneCall, connection: Connection) -> End | Ending:
    finished = asyncio.create_task(phone.finished(), name="finished")
    left = asyncio.create_task(connection.over(), name="left")
    ends: set[asyncio.Task[End] | asyncio.Task[Ending]] = {finished, left}
    try:
        await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        return left.result() if left.done() else finished.result()
    finally:
        finished.cancel()
        left.cancel()


async def _put_through(
    job: JobContext,
    settings: Settings,
    call: Conversation,
    caller: rtc.RemoteParticipant,
    phone: PhoneCall,
    connection: Connection,
) -> bool:
    """Where we carry the two voices, the call is not over before they have parted: if this process dies, another
    worker puts the caller through again.
    """
    put = PutThrough("failed")

    async def through() -> bool:
        nonlocal put
        put = await hand_over(job, settings, call, caller)
        if put.through:
            await phone.close()  # the line says nothing more
            await parted(job.api, put)
        return put.through

    if not await connection.during(through()):
        return False
    if put.bridge is not None:
        await job.delete_room()
    return True


async def _turn_away(
    job: JobContext,
    settings: Settings,
    speech: Speech,
    participant: rtc.RemoteParticipant,
    speaker: Loudspeaker,
) -> None:
    """Nothing can be remembered now: say so, and hang up."""
    caller = caller_in(participant, settings.company.country)
    text, language = unavailable_text(settings, caller.number, caller.language)
    session: AgentSession[None] = AgentSession(tts=speech.tts, vad=None)
    session.output.audio = speaker
    room_options = room_io.RoomOptions(
        participant_identity=participant.identity, audio_output=False
    )
    await session.start(
        Agent(instructions=""),
        room=job.room,
        room_options=room_options,
        session_host=False,
        record=False,
    )
    speech.speak_as(language, "calm")
    await session.say(text, allow_interruptions=False)
    await session.aclose()
    await job.delete_room()
    job.shutdown()
