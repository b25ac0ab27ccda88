/** The page: one call at a time, made, spoken, typed, cut, taken up again. */
import { Call, openMicrophone } from "./call.js";
import { Captions } from "./captions.js";
import { TEXTS, textIn } from "./texts.js";

const MESSAGES_EVERY = 2_000; // milliseconds
const MOST_KEYS_SHOWN = 20;
const STATE_OF_LINE = { listening: "listening", thinking: "thinking", speaking: "speaking" };

const at = (id) => document.getElementById(id);
const page = {
  language: firstLanguage(),
  about: { company: "", voices: "vendors", people: [] },
  state: "idle",
  news: null,
  call: null, // the Call that goes on
  room: null, // of the call that was cut: calling again tries it first
  callId: null,
  spoken: null, // the language the line speaks now
  keys: "",
};
const text = (name, values) => textIn(page.language, name, values);
const captions = new Captions(
  { log: at("captions"), interim: at("interim"), scroller: at("scroller"), placeholder: at("no-captions") },
  (mine) => text(mine ? "you" : "line"),
);

function firstLanguage() {
  const known = navigator.languages.map((one) => one.slice(0, 2)).find((one) => one in TEXTS);
  return localStorage.getItem("language") ?? known ?? "en";
}

// What the page shows ------------------------------------------------------------------------------------------

function show() {
  document.documentElement.lang = page.language;
  document.title = `${text("title")} ${page.about.company}`.trim();
  at("company").textContent = page.about.company;
  at("language").value = page.language;
  for (const element of document.querySelectorAll("[data-text]")) {
    element.textContent = text(element.dataset.text);
  }
  for (const element of document.querySelectorAll("[data-label]")) {
    element.ariaLabel = text(element.dataset.label);
  }
  at("voices").hidden = page.about.voices !== "espeak";
  at("voices").textContent = text("voices");
  showPeople();
  showState();
}

/** Writing the same again would have a screen reader say it again. */
function put(id, words) {
  if (at(id).textContent !== words) at(id).textContent = words;
}

function showState() {
  const going = page.call !== null;
  at("state").dataset.state = page.state;
  put("state-text", text(page.state));
  put("news", page.news ? text(page.news) : "");
  at("caller").hidden = going;
  at("on-call").hidden = at("cut-help").hidden = !going;
  put("dial", text(page.room ? "dial_again" : "dial"));
  at("dial").ariaDisabled = String(page.state === "connecting"); // it keeps the focus
  const talks = going && page.state !== "connecting" && page.state !== "ringing";
  for (const control of [at("words"), at("send"), ...at("keys").children]) control.disabled = !talks;
  showMicrophone();
}

function showMicrophone() {
  const call = page.call;
  at("mute").hidden = !call?.microphone;
  at("mute").ariaPressed = String(Boolean(call?.muted));
  at("level").hidden = !call?.measured;
  const state = !call?.microphone ? "no_microphone" : call.muted ? "muted" : "microphone_on";
  put("microphone-state", call ? text(state) : "");
}

function showPeople() {
  at("people").hidden = !page.about.people.length;
  at("callers").replaceChildren(...page.about.people.map((one) => new Option(one.name, one.number)));
  at("people-list").replaceChildren(
    ...page.about.people.map((one) => {
      const item = document.createElement("li");
      const take = document.createElement("button");
      take.type = "button";
      take.textContent = text("call_as", one);
      take.addEventListener("click", () => callAs(one));
      item.append(text("person", one), " ", take);
      return item;
    }),
  );
}

function callAs(person) {
  page.room = null; // the one they were cut off in is somebody else's
  at("number").value = person.number;
  setLanguage(person.language);
  (page.call ? at("hang-up") : at("dial")).focus();
}

function setLanguage(language) {
  page.language = language;
  localStorage.setItem("language", language);
  show();
}

function enter(state, news = page.news) {
  page.state = state;
  page.news = news;
  showState();
}

// The call -----------------------------------------------------------------------------------------------------

async function post(path, body) {
  const answer = await fetch(path, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });
  return { status: answer.status, ...(await answer.json()) };
}

/** A token for the room that was cut, while the server knows it, else for a new one. */
async function askForToken(again) {
  const wanted = { language: page.language, number: at("number").value.trim() || null };
  if (again) {
    const known = await post("token", { again });
    if (known.status !== 404) return known;
  }
  return post("token", wanted);
}

async function dial(again = page.room) {
  const before = page.state;
  showNumberError("");
  enter("connecting", "news_connecting");
  const microphone = await openMicrophone();
  const answer = await askForToken(again).catch(() => ({ status: 0 }));
  if (answer.status !== 200) {
    microphone?.stop();
    refused(answer, before);
    return;
  }
  page.room = null;
  page.callId = null;
  page.spoken = page.language;
  page.keys = "";
  put("pressed", "");
  const call = new Call(listenerOf(answer.room, Boolean(again)), microphone);
  page.call = call;
  showState();
  at("hang-up").focus();
  await call.dial(answer.url, answer.token);
}

function refused(answer, before) {
  if (answer.status === 422) {
    enter(before, null);
    showNumberError(text("number_wrong"));
    at("number").focus();
  } else {
    enter(before, answer.status === 429 ? "news_too_many" : "news_server");
  }
}

function showNumberError(words) {
  at("number-error").textContent = words;
  at("number").ariaInvalid = String(Boolean(words));
}

function listenerOf(room, again) {
  return {
    ringing: () => enter("ringing"),
    answered: () => enter("on", "news_on"),
    line: followLine,
    caption: (caption) => captions.show({ ...caption, language: page.spoken }),
    reconnecting: () => enter("reconnecting", "news_reconnecting"),
    reconnected: () => enter("on", "news_back"),
    microphone: showMicrophone,
    level: (level) => (at("level").value = level),
    sound: (allowed) => (at("sound").hidden = allowed),
    closed: (call, how) => call === page.call && closed(how, room, again),
  };
}

/** What the line says of itself: whether it listens, which call this is, which language it speaks. */
function followLine(attributes) {
  page.callId = attributes["holdfast.call"] ?? page.callId;
  page.spoken = attributes["holdfast.language"] ?? page.spoken;
  const state = STATE_OF_LINE[attributes["lk.agent.state"]];
  if (state && page.state !== "reconnecting") enter(state);
}

function closed(how, room, again) {
  const focusIsLost = document.activeElement?.closest("#on-call, #typing, #keys") !== null;
  page.call = null;
  at("level").value = 0;
  at("sound").hidden = true;
  if (how === "no_answer" && again) {
    page.state = "ended"; // and stays so, if the next is refused
    dial(null); // nobody was left in that room
    if (focusIsLost) at("dial").focus();
    return;
  }
  if (how === "cut") page.room = room;
  const news = { cut: "news_cut", no_answer: "news_no_answer", failed: "news_failed" }[how] ?? "news_ended";
  enter(how === "cut" ? "cut_off" : "ended", news);
  captions.note(text(page.state));
  if (focusIsLost) at("dial").focus();
  collectMessages();
}

/** Whether it worked; if not, the page says what is wrong, until it works. */
async function attempt(action, wrong) {
  try {
    await action();
  } catch {
    enter(page.state, wrong);
    return false;
  }
  if (page.news === wrong) enter(page.state, null);
  return true;
}

async function type(event) {
  event.preventDefault();
  const words = at("words").value.trim();
  if (!words || !page.call) return;
  at("words").value = "";
  if (await attempt(() => page.call.type(words), "news_not_sent")) {
    captions.show({ id: crypto.randomUUID(), mine: true, text: words, final: true, language: page.spoken });
  } else {
    at("words").value ||= words;
  }
}

function press(key) {
  if (!page.call || at("send").disabled) return;
  page.keys = (page.keys + key).slice(-MOST_KEYS_SHOWN);
  put("pressed", text("pressed", { keys: [...page.keys].join(" ") }));
  attempt(() => page.call.press(key), "news_not_sent");
}

function mute() {
  attempt(() => page.call?.mute(!page.call.muted), "no_microphone"); // it may be unplugged
}

// Messages that the demo sends --------------------------------------------------------------------------------

async function collectMessages() {
  if (!page.callId) return;
  const answer = await post("messages", { call: page.callId }).catch(() => ({}));
  for (const message of answer.messages ?? []) {
    const item = document.createElement("li");
    item.textContent = text("message", { ...message, channel: text(message.channel) });
    at("messages").append(item);
  }
}

// Beginning ---------------------------------------------------------------------------------------------------

function listen() {
  at("language").addEventListener("change", (event) => setLanguage(event.target.value));
  at("number").addEventListener("input", () => {
    page.room = null; // somebody else calls
    showState();
  });
  at("caller").addEventListener("submit", (event) => {
    event.preventDefault();
    if (!page.call && page.state !== "connecting") dial();
  });
  at("hang-up").addEventListener("click", () => page.call?.hangUp());
  at("cut").addEventListener("click", () => page.call?.cut());
  at("mute").addEventListener("click", mute);
  at("sound").addEventListener("click", () => page.call?.allowSound());
  at("typing").addEventListener("submit", type);
  at("keys").addEventListener("click", (event) => event.target.value && press(event.target.value));
  at("keys").addEventListener("keydown", (event) => {
    if (/^[0-9*#]$/.test(event.key)) press(event.key);
  });
  at("announce").addEventListener("change", (event) => announce(event.target.checked));
}

function announce(on) {
  at("announce").checked = on;
  at("captions").ariaLive = on ? "polite" : "off";
  localStorage.setItem("announce", String(on));
}

async function begin() {
  listen();
  announce(localStorage.getItem("announce") !== "false");
  show();
  try {
    page.about = await (await fetch("line.json")).json();
  } catch {
    page.news = "news_server";
  }
  at("number").value ||= page.about.people.find((one) => one.language === page.language)?.number ?? "";
  show();
  setInterval(() => page.call && collectMessages(), MESSAGES_EVERY);
}

begin();
