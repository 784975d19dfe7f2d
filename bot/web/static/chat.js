// The page: the composer, the conversation that is shown, and where it is scrolled to.
import { makeKey, request } from "./api.js";
import { closeSource, isSourceOpen } from "./panel.js";
import { Turn } from "./turn.js";

const CONVERSATION = "nightbake-conversation";
const NEAR_BOTTOM = 160;
const RESTORE_PAUSE = 1500;

const composer = document.getElementById("composer");
const question = document.getElementById("question");
const send = document.getElementById("send");
const stop = document.getElementById("stop");
const turns = document.getElementById("turns");
const talk = document.querySelector(".talk");
const announcer = document.getElementById("announcer");

let conversation = localStorage.getItem(CONVERSATION) ?? makeKey();
let lastQuestion = "";
let follows = true;
let shown = [];
localStorage.setItem(CONVERSATION, conversation);

function announce(words) {
  announcer.textContent = words;
}

function grown() {
  if (follows) talk.scrollTop = talk.scrollHeight;
}

function addTurn(text) {
  document.body.classList.remove("is-empty");
  const turn = new Turn(text, { announce, grown, changed: showStop, askAgain });
  turns.append(turn.node);
  shown.push(turn);
  lastQuestion = text;
  return turn;
}

function askAgain(text) {
  ask(text);
  question.focus();
}

// The answer under way: questions are answered in their order, so it is the oldest that is not over.
const findUnderWay = () => shown.find((turn) => !turn.isOver);

function showStop() {
  const turn = findUnderWay();
  if (!turn && document.activeElement === stop) question.focus();
  stop.hidden = !turn;
  stop.setAttribute("aria-disabled", String(turn?.isStopping ?? false));
}

function ask(text) {
  follows = true;
  addTurn(text).send(conversation);
  showStop();
  grown();
}

function fitComposer() {
  question.style.height = "auto";
  question.style.height = `${question.scrollHeight}px`;
  send.disabled = !question.value.trim();
}

function setQuestion(text) {
  question.value = text;
  fitComposer();
  question.focus();
}

composer.addEventListener("submit", (event) => {
  event.preventDefault();
  const text = question.value.trim();
  if (!text) return;
  setQuestion("");
  ask(text);
});

question.addEventListener("input", fitComposer);
question.addEventListener("keydown", (event) => {
  // While an input method composes, Enter chooses a syllable; 229 is how older browsers say so.
  if (event.isComposing || event.keyCode === 229) return;
  if (event.key === "Enter" && !event.shiftKey) {
    event.preventDefault();
    composer.requestSubmit();
  } else if (event.key === "ArrowUp" && event.altKey && lastQuestion) {
    event.preventDefault();
    setQuestion(lastQuestion);
  } else if (event.key === "Escape" && !isSourceOpen()) findUnderWay()?.stop();
});

stop.addEventListener("click", () => findUnderWay()?.stop());

for (const suggestion of document.querySelectorAll(".suggestion")) {
  suggestion.addEventListener("click", () => {
    ask(suggestion.textContent);
    // On a phone the keyboard would hide the answer.
    if (matchMedia("(hover: hover)").matches) question.focus();
  });
}

document.getElementById("new").addEventListener("click", () => {
  conversation = makeKey();
  localStorage.setItem(CONVERSATION, conversation);
  closeSource();
  turns.replaceChildren();
  shown = [];
  showStop();
  document.body.classList.add("is-empty");
  setQuestion("");
});

talk.addEventListener("scroll", () => {
  follows = talk.scrollHeight - talk.scrollTop - talk.clientHeight < NEAR_BOTTOM;
}, { passive: true });

async function restore() {
  const found = await request(`/api/conversations/${conversation}`).catch((error) => error);
  if (found.mayPass) return setTimeout(restore, RESTORE_PAUSE);
  const asked = [...turns.children];
  const asking = shown;
  shown = [];
  for (const past of found.turns ?? []) {
    const turn = addTurn(past.question);
    if (past.answer) turn.showAnswer(past.answer, past.vote);
    else turn.follow(past.id);
  }
  turns.append(...asked);
  shown.push(...asking);
  showStop();
  announce("");
  grown();
}

restore();
