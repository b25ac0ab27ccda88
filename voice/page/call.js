/** One call: LiveKit's room as a phone. Knows nothing of the page; tells its listener what happens. */
import {
  DisconnectReason, Room, RoomEvent, Track, TrackEvent, createAudioAnalyser, createLocalAudioTrack, setLogLevel,
} from "./livekit-client.mjs";

/** Milliseconds. A worker that starts a process on a busy machine takes seconds; one that died is replaced in ten. */
const ANSWERED_WITHIN = 15_000;
const LEVEL_EVERY = 100;
const KEYS = "0123456789*#";
setLogLevel("warn");

/** The caller's microphone, or null: there is none, or the caller does not want it. */
export async function openMicrophone() {
  try {
    return await createLocalAudioTrack({
      echoCancellation: true, noiseSuppression: true, autoGainControl: true,
    });
  } catch {
    return null;
  }
}

export class Call {
  /**
   * @param listener `ringing()`, `answered()`, `line(attributes)`, `caption({id, mine, text, final})`,
   *   `reconnecting()`, `reconnected()`, `microphone()` when it changed, `level(0..1)`, `sound(allowed)`,
   *   `closed(call, how)` with how one of "hung_up", "cut", "ended", "no_answer", "failed".
   */
  constructor(listener, microphone) {
    this.listener = listener;
    this.microphone = microphone;
    this.room = new Room({ disconnectOnPageLeave: true, dynacast: false, adaptiveStream: false });
    this.how = null; // the way we ended it
    this.joined = false;
    this.open = true;
    this.#listen();
    this.#listenToMicrophone();
  }

  /** By the caller, or because the device is gone. */
  get muted() {
    const { microphone } = this;
    return Boolean(microphone && (microphone.isMuted || microphone.mediaStreamTrack.readyState === "ended"));
  }

  get measured() {
    return Boolean(this.stopMeasuring);
  }

  async dial(url, token) {
    this.listener.ringing();
    try {
      await this.room.connect(url, token, { maxRetries: 1 });
      this.joined = true;
      if (this.microphone) {
        await this.room.localParticipant.publishTrack(this.microphone, {
          source: Track.Source.Microphone,
        });
        this.#measure();
      }
      await this.room.startAudio().catch(() => this.listener.sound(false));
    } catch {
      await this.#leave(this.how ?? "failed");
      return;
    }
    if (this.open) this.#expectAnswer();
  }

  async hangUp() {
    await this.#leave("hung_up");
  }

  /** The line goes dead. LiveKit's client has no way of its own to leave without telling the server that it does. */
  async cut() {
    this.how = "cut";
    if (this.room.engine) this.room.engine.client.sendLeave = async () => {};
    await this.#leave("cut");
  }

  async mute(on) {
    await (on ? this.microphone?.mute() : this.microphone?.unmute());
  }

  async type(text) {
    await this.room.localParticipant.sendText(text, { topic: "lk.chat" });
  }

  async press(key) {
    await this.room.localParticipant.publishDtmf(KEYS.indexOf(key), key);
  }

  async allowSound() {
    await this.room.startAudio();
  }

  #listen() {
    const { room, listener } = this;
    room
      .on(RoomEvent.ParticipantConnected, () => this.#agentCame())
      .on(RoomEvent.ParticipantDisconnected, () => this.#agentLeft())
      .on(RoomEvent.ParticipantAttributesChanged, (_, participant) => {
        if (participant.isAgent) listener.line(participant.attributes);
      })
      .on(RoomEvent.TrackSubscribed, (track) => {
        if (track.kind === Track.Kind.Audio) document.body.append(track.attach());
      })
      .on(RoomEvent.TrackUnsubscribed, (track) => track.detach().forEach((element) => element.remove()))
      .on(RoomEvent.AudioPlaybackStatusChanged, () => listener.sound(room.canPlaybackAudio))
      .on(RoomEvent.SignalReconnecting, () => listener.reconnecting())
      .on(RoomEvent.Reconnecting, () => listener.reconnecting())
      .on(RoomEvent.Reconnected, () => listener.reconnected())
      .on(RoomEvent.Disconnected, (reason) => {
        if (this.joined) this.#close(this.how ?? howItEnded(reason));
      });
    room.registerTextStreamHandler("lk.transcription", (reader, from) => this.#caption(reader, from));
  }

  /** A device that is unplugged ends its track; LiveKit's client tries another one, and mutes if there is none. */
  #listenToMicrophone() {
    for (const event of [TrackEvent.Muted, TrackEvent.Unmuted, TrackEvent.Ended]) {
      this.microphone?.on(event, () => this.listener.microphone());
    }
    this.microphone?.on(TrackEvent.Restarted, () => this.#measure());
  }

  get #agent() {
    return [...this.room.remoteParticipants.values()].find((one) => one.isAgent);
  }

  #agentCame() {
    const agent = this.#agent;
    if (!agent || !this.open) return;
    clearTimeout(this.patience);
    this.listener.answered();
    this.listener.line(agent.attributes);
  }

  /** Without anybody else in the room, the line has died; else the caller is with a colleague. */
  #agentLeft() {
    if (this.room.remoteParticipants.size || !this.open || this.room.state === "disconnected") return;
    this.listener.ringing();
    this.#expectAnswer();
  }

  #expectAnswer() {
    clearTimeout(this.patience);
    this.patience = setTimeout(() => this.#leave("no_answer"), ANSWERED_WITHIN);
    this.#agentCame();
  }

  /** The line's words come in pieces, each segment one stream; the caller's come whole, again and again. */
  async #caption(reader, { identity }) {
    const mine = identity === this.room.localParticipant.identity;
    const { attributes } = reader.info;
    const id = attributes["lk.segment_id"] ?? reader.info.id;
    const tell = (text, final) => text.trim() && this.listener.caption({ id, mine, text, final });
    let text = "";
    try {
      for await (const piece of reader) {
        text += piece;
        if (!mine) tell(text, false);
      }
    } catch {
      // the line went away in the middle of a sentence: what came was said
    }
    tell(text, !mine || attributes["lk.transcription_final"] === "true");
  }

  /** Where the browser can't, for want of an AudioContext for one, the call goes on without. */
  #measure() {
    this.#stopMeasuring();
    if (!this.open) return;
    try {
      const { calculateVolume, cleanup } = createAudioAnalyser(this.microphone, {
        minDecibels: -90, maxDecibels: -20, smoothingTimeConstant: 0.5,
      });
      const timer = setInterval(() => this.listener.level(this.muted ? 0 : calculateVolume()), LEVEL_EVERY);
      this.stopMeasuring = () => {
        clearInterval(timer);
        cleanup();
      };
    } catch {
      // no meter
    }
    this.listener.microphone();
  }

  #stopMeasuring() {
    this.stopMeasuring?.();
    this.stopMeasuring = null;
  }

  async #leave(how) {
    this.how = how;
    try {
      await this.room.disconnect();
    } finally {
      this.#close(how);
    }
  }

  #close(how) {
    if (!this.open) return;
    this.open = false;
    clearTimeout(this.patience);
    this.#stopMeasuring();
    this.microphone?.stop();
    this.listener.closed(this, how);
  }
}

/** Said by the server: the line put the phone down, or the connection did not come back. */
function howItEnded(reason) {
  const ended = [
    DisconnectReason.ROOM_DELETED, DisconnectReason.ROOM_CLOSED, DisconnectReason.PARTICIPANT_REMOVED,
  ];
  return ended.includes(reason) ? "ended" : "cut";
}
