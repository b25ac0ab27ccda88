/** What is said, as text: words on their way below, finished ones in the log, which screen readers read out. */
const NEAR_THE_END = 40; // pixels

export class Captions {
  /** @param names `(mine) => "You" or "Line"` */
  constructor({ log, interim, scroller, placeholder }, names) {
    Object.assign(this, { log, interim, scroller, placeholder, names });
    this.going = new Map();
  }

  show({ id, mine, text, final, language }) {
    const follow = this.#atTheEnd();
    this.placeholder.hidden = true;
    if (final) {
      this.going.get(id)?.remove();
      this.going.delete(id);
      this.log.append(this.#line(mine, text, language));
    } else {
      const line = this.#line(mine, text, language);
      if (this.going.has(id)) this.going.get(id).replaceWith(line);
      else this.interim.append(line);
      this.going.set(id, line);
    }
    if (follow) this.scroller.scrollTop = this.scroller.scrollHeight;
  }

  /** A note between the lines: the line was cut, the call has ended. */
  note(text) {
    const note = document.createElement("p");
    note.className = "note";
    note.textContent = text;
    this.interim.replaceChildren();
    this.going.clear();
    this.log.append(note);
    this.scroller.scrollTop = this.scroller.scrollHeight;
  }

  #line(mine, text, language) {
    const line = document.createElement("p");
    line.className = mine ? "mine" : "theirs";
    const who = document.createElement("span");
    who.className = "who";
    who.textContent = this.names(mine);
    const words = document.createElement("span");
    words.textContent = text;
    words.lang = language;
    line.append(who, " ", words);
    return line;
  }

  #atTheEnd() {
    const { scrollHeight, scrollTop, clientHeight } = this.scroller;
    return scrollHeight - scrollTop - clientHeight < NEAR_THE_END;
  }
}
