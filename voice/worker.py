"""The worker: waits for LiveKit's jobs and answers each caller in a process of its own."""

from __future__ import annotations

import asyncio
import signal
from contextlib import AbstractAsyncContextManager, AsyncExitStack

import structlog
from livekit import rtc
from livekit.agents import Agent, AgentServer, AgentSession, JobContext, JobProcess, room_io

from checkpoints.errors import StorageError
from conversation import Conversation
from services import Services, open_services, unavailable_text
from settings import Settings
from voice.call import PhoneCall
from voice.connection import Connection
from voice.speech import Speech, build
from voice.telephony import Keypad, caller_in

log = structlog.get_logger(__name__)
PRELOADED = "voice.preload"
SETTINGS = "settings"  #: in a process's userdata
STARTING_SECONDS = 60.0  #: a process may take to start, on a busy machine
STOPPING = (signal.SIGTERM, signal.SIGINT)


async def serve(server: AgentServer) -> None:
    """Take calls until told to stop; then finish those that are going on, and take no more."""
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
        await server.drain()
        await server.aclose()
    await running


def agent_server(settings: Settings) -> AgentServer:
    """LiveKit's side of the worker.

    Raises:
        ValueError: LiveKit's address or keys are missing.
    """
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
    )
    server.rtc_session(answer, agent_name=settings.voice.agent_name)
    server.on("worker_registered", _registered)
    return server


def _registered(worker_id: str, _: object) -> None:
    log.info("worker.registered", worker_id=worker_id)


def get_ready(process: JobProcess) -> None:
    """Before there is a call: read the settings, and find the models that the fork server has loaded."""
    from voice import preload

    assert preload.UNDERSTANDER
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
            participant = await joined
            caller = caller_in(participant, settings.company.country)
            call = await services.answer(caller.number, caller.language)
        except StorageError:
            log.error("call.not_answered")  # noqa: TRY400 - the storage has logged why
            await _turn_away(job, settings, speech, await joined)
            return
        structlog.contextvars.bind_contextvars(call_id=str(call.record.call_id))
        await _talk(job, settings, call, speech, participant.identity)


async def _joined(job: JobContext) -> rtc.RemoteParticipant:
    await job.connect()
    return await job.wait_for_participant()


def _services(settings: Settings) -> AbstractAsyncContextManager[Services]:
    from voice import preload

    return open_services(settings, understander=preload.UNDERSTANDER)


async def _talk(
    job: JobContext, settings: Settings, call: Conversation, speech: Speech, caller: str
) -> None:
    """Until the line has said goodbye, or the caller has left."""
    connection = Connection(job.room, caller, call, blip=settings.voice.blip)
    phone = PhoneCall(call, speech, settings.voice)
    keypad = Keypad(job.room, caller, asks=lambda: phone.asks, press=phone.press)
    finished = asyncio.create_task(phone.finished(), name="finished")
    left = asyncio.create_task(connection.over(), name="left")
    try:
        await phone.start(job.room, caller)
        await asyncio.wait({finished, left}, return_when=asyncio.FIRST_COMPLETED)
        if finished.done() and finished.result() == "said_goodbye":
            connection.hang_up()
            await left
            await job.delete_room()
    finally:
        keypad.close()
        finished.cancel()
        await connection.close()
        await phone.session.aclose()
        job.shutdown()


async def _turn_away(
    job: JobContext, settings: Settings, speech: Speech, participant: rtc.RemoteParticipant
) -> None:
    """Nothing can be remembered now: say so, and hang up."""
    caller = caller_in(participant, settings.company.country)
    text, language = unavailable_text(settings, caller.number, caller.language)
    session: AgentSession[None] = AgentSession(tts=speech.tts, vad=None)
    room_options = room_io.RoomOptions(participant_identity=participant.identity)
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
