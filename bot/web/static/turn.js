// One question with its reply: sent, followed, shown, and kept on the page whatever happens on the way.
import { makeKey, request } from "./api.js";
import { make } from "./dom.js";
import { openSource } from "./panel.js";
import { renderText } from "./render.js";
import { follow } from "./stream.js";
import { makeTools } from "./votes.js";
import { say } from "./words.js";

const QUIET_TRIES = 3;
const wait = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

export class Turn {
  constructor(question, { announce, grown, changed, askAgain }) {
    this.question = question;
    this.announce = announce;
    this.grown = grown;
    this.changed = changed;
    this.askAgain = askAgain;
    this.isOver = false;
    this.isStopping = false;
    this.reply = make("div", { class: "reply", role: "group", "aria-label": say("assistant") });
    this.node = make("article", { class: "turn" },
      make("div", { class: "asked", role: "group", "aria-label": say("you") }, question), this.reply);
  }

  // The same key at every try, so that a question that arrived twice is stored once.
  async send(conversation, key = makeKey()) {
    this.showStatus(say("reading"));
    for (let attempt = 1; ; attempt++) {
      try {
        const { id } = await request("/api/questions", { text: this.question, conversation, key });
        return this.follow(id);
      } catch (error) {
        if (error.mayPass && error.status !== 429 && attempt < QUIET_TRIES) await wait(400 * attempt);
        else return this.showTrouble(`${say("not_sent")} ${error.message}`, error.mayPass && (() => this.send(conversation, key)));
      }
    }
  }

  // Told once, also before the question is stored: it is passed on as soon as there is something to stop.
  async stop() {
    if (this.isOver || this.isStopping) return;
    this.isStopping = true;
    this.changed();
    this.announce(say("stopping"));
    if (this.id) await this.sendStop();
  }

  async sendStop() {
    for (let attempt = 1; attempt <= QUIET_TRIES && !this.isOver; attempt++) {
      try {
        return await request(`/api/questions/${this.id}/stop`, {});
      } catch (error) {
        if (!error.mayPass) break;
        await wait(400 * attempt);
      }
    }
    this.isStopping = false;
    this.announce(say("not_stopped"));
    this.changed();
  }

  follow(id) {
    this.id = id;
    if (this.isStopping) this.sendStop();
    this.showStatus(say("reading"));
    follow(id, {
      onStatus: ({ text }) => this.showStatus(text),
      onText: ({ text }) => this.showText(text),
      onAnswer: (answer) => this.showAnswer(answer),
      onDeclined: ({ message }) => this.showFailure(message),
      onLost: () => this.showStatus(say("reconnecting")),
      onGone: () => this.showTrouble(say("offline")),
    });
  }

  showStatus(words) {
    if (this.status?.isConnected) this.status.textContent = words;
    else {
      this.status = make("p", { class: "status" }, words);
      this.reply.append(this.status);
    }
    if (this.lastStatus !== words) this.announce(words);
    this.lastStatus = words;
    this.grown();
  }

  showText(text) {
    if (!this.text?.isConnected) {
      this.text = make("div", { class: "text", "aria-busy": "true" });
      this.reply.replaceChildren(this.text);
    }
    this.status?.remove();
    this.text.replaceChildren(renderText(text, (number) => make("span", { class: "cite" }, String(number))));
    this.grown();
  }

  showAnswer(answer, vote = {}) {
    if (answer.mode === "failed") return this.showFailure(answer.text);
    this.end();
    const open = (source) => (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      openSource(source, event.currentTarget);
    };
    const cite = (number) => {
      const source = answer.sources.find((one) => one.number === number);
      const label = source && say("open_source", { number, title: source.title });
      return source && make("a", { class: "cite", href: source.url, "aria-label": label, title: source.title, onclick: open(source) }, String(number));
    };
    this.reply.replaceChildren(
      ...withNotice(answer, make("div", { class: "text", lang: answer.language }, renderText(answer.text, cite))),
      ...(answer.sources.length ? [this.listSources(answer.sources, open)] : []),
      makeTools(answer, vote, this.announce),
    );
    this.announce([answer.notice, answer.text].filter(Boolean).join(" "));
    this.grown();
  }

  listSources(sources, open) {
    const item = (source) => {
      const place = [source.heading_path, source.page ? say("page", { page: source.page }) : "", source.sensitivity].filter(Boolean).join(" · ");
      const words = [make("b", {}, String(source.number)), make("span", {}, source.title, " ", make("small", {}, place))];
      return make("li", {}, make("a", { class: "source", href: source.url, onclick: open(source) }, ...words));
    };
    return make("section", { class: "sources" }, make("h3", {}, say("sources")), make("ol", {}, ...sources.map(item)));
  }

  // What was stored and failed for good is asked anew, at the end of the conversation.
  showFailure(words) {
    this.showTrouble(words, () => this.askAgain(this.question), { once: true });
  }

  showTrouble(words, retry, { once = false } = {}) {
    this.end();
    const tryAgain = () => {
      if (once) again.remove();
      else {
        this.reply.replaceChildren();
        this.isOver = false;
        this.changed();
      }
      retry();
    };
    const again = retry ? make("button", { type: "button", class: "outline", onclick: tryAgain }, say("retry")) : null;
    this.reply.replaceChildren(make("div", { class: "trouble" }, make("span", {}, words), again));
    this.announce(words);
    this.grown();
  }

  end() {
    this.isOver = true;
    this.isStopping = false;
    this.changed();
  }
}

// A word on a stopped answer stands where it broke off, every other one before what it explains.
function withNotice(answer, text) {
  if (!answer.notice) return [text];
  const notice = make("p", { class: "notice" }, answer.notice);
  return answer.mode === "stopped" ? [text, notice] : [notice, text];
}
