// Thumbs, a correction for a bad answer, and a copy button; votes on one answer are sent in their order.
import { now, request } from "./api.js";
import { make, toolButton } from "./dom.js";
import { say } from "./words.js";

const REASONS = ["wrong", "incomplete", "wording", "wrong_document", "outdated"];
const LONGEST_CORRECTION = 4000;

export function makeTools(answer, given, announce) {
  const vote = { value: 0, correction: "", reason: "", ...given };
  const said = make("span", { class: "said", role: "status" });
  const box = make("div", { hidden: true });
  const up = toolButton("up", say("good"), () => choose(1));
  const down = toolButton("down", say("bad"), () => choose(-1), { class: "tool bad" });
  const copy = toolButton("copy", say("copy"), async () => tell(await copyText(answer.text) ? say("copied") : ""));
  const row = make("div", { class: "tools" }, up, down, copy, said);
  let sending = Promise.resolve();

  function show() {
    up.setAttribute("aria-pressed", String(vote.value === 1));
    down.setAttribute("aria-pressed", String(vote.value === -1));
  }

  function tell(words) {
    said.textContent = words;
    if (words) announce(words);
  }

  function send(next, words) {
    const before = { ...vote };
    const said = { ...next, said_at: now() };
    Object.assign(vote, next);
    show();
    sending = sending.then(async () => {
      try {
        await request(`/api/answers/${answer.interaction_id}/feedback`, said);
        tell(words);
        return true;
      } catch (error) {
        Object.assign(vote, before);
        show();
        tell(`${say("vote_failed")} ${error.message}`);
        return false;
      }
    });
    return sending;
  }

  function choose(value) {
    const next = vote.value === value ? 0 : value;
    const keeps = next === -1 ? { correction: vote.correction, reason: vote.reason } : { correction: "", reason: "" };
    send({ value: next, ...keeps }, next ? say("thanks") : say("withdrawn"));
    if (next === -1) openForm();
    else fillBox();
  }

  function fillBox(...content) {
    box.replaceChildren(...content);
    box.hidden = content.length === 0;
  }

  function openForm() {
    const correction = make("textarea", { name: "correction", rows: 3, maxlength: LONGEST_CORRECTION });
    correction.value = vote.correction;
    const reason = make("select", { name: "reason" }, make("option", { value: "" }, say("reason_none")),
      ...REASONS.map((name) => make("option", { value: name }, say(`reason_${name}`))));
    reason.value = REASONS.includes(vote.reason) ? vote.reason : "";
    const submit = async (event) => {
      event.preventDefault();
      const next = { value: -1, correction: correction.value.trim(), reason: reason.value };
      if (await send(next, say("thanks"))) next.correction || next.reason ? showCorrected() : fillBox();
    };
    const form = make("form", { class: "correcting", onsubmit: submit },
      make("h3", {}, say("correct_title")),
      make("label", {}, say("reason_label"), reason),
      make("label", {}, say("correction_label"), correction),
      make("div", { class: "actions" },
        make("button", { class: "solid", type: "submit" }, say("save")),
        make("button", { class: "quiet", type: "button", onclick: () => { vote.correction || vote.reason ? showCorrected() : fillBox(); down.focus(); } }, say("cancel"))),
      make("p", { class: "said" }, say("correction_hint")));
    form.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && !event.isComposing) form.requestSubmit();
    });
    fillBox(form);
    correction.focus();
    form.scrollIntoView({ block: "nearest", behavior: "instant" });
  }

  function showCorrected() {
    const edit = make("button", { type: "button", class: "quiet", onclick: openForm }, say("edit"));
    const words = vote.correction || say(`reason_${REASONS.includes(vote.reason) ? vote.reason : "none"}`);
    fillBox(make("div", { class: "corrected" },
      make("div", { class: "head" }, make("span", {}, say("corrected")), edit), make("blockquote", {}, words)));
    if (document.activeElement === document.body) edit.focus({ preventScroll: true });
  }

  show();
  if (vote.value === -1 && (vote.correction || vote.reason)) showCorrected();
  return make("div", { class: "judging" }, row, box);
}

async function copyText(text) {
  if (navigator.clipboard) return navigator.clipboard.writeText(text).then(() => true, () => false);
  const area = make("textarea", { class: "hidden" });
  area.value = text;
  document.body.append(area);
  area.select();
  const done = document.execCommand("copy");
  area.remove();
  return done;
}
