// Pairs, exercises, and answers that people disagree on, by keyboard: j and k walk, a, r, e and u judge, w opens the
// reasons. Buttons do the same.
import { headers } from "./post.js";

const cards = [...document.querySelectorAll("[data-review]")];

// What a look took: the time since the last word, or since the page opened, as far as the page was in sight.
let seenSince = performance.now();
let seenBefore = 0;

document.addEventListener("visibilitychange", () => {
  if (document.hidden) seenBefore += performance.now() - seenSince;
  seenSince = performance.now();
});

function takeSeconds() {
  const seconds = (seenBefore + performance.now() - seenSince) / 1000;
  seenBefore = 0;
  seenSince = performance.now();
  return seconds;
}

function find(card, selector) {
  return card.querySelector(selector);
}

function isTyping(target) {
  return target.matches("input, select, textarea");
}

function getCurrent() {
  return cards.find((card) => card.contains(document.activeElement)) ?? null;
}

function walk(step) {
  const current = getCurrent();
  const at = current ? cards.indexOf(current) + step : step > 0 ? 0 : cards.length - 1;
  const next = cards[Math.min(cards.length - 1, Math.max(0, at))];
  next?.focus();
  next?.scrollIntoView({ block: "nearest" });
}

async function check(card, button) {
  const told = find(card, ".told");
  try {
    const response = await fetch(button.dataset.check, { method: "POST", headers, body: "{}" });
    const content = await response.json();
    if (!response.ok) throw new Error(content.error);
    told.textContent = content.message;
    button.replaceWith(content.verdict);
  } catch (error) {
    told.textContent = error.message;
  }
}

async function review(card, verdict, texts = {}) {
  const told = find(card, ".told");
  try {
    const response = await fetch(card.dataset.review, {
      method: "POST",
      headers,
      body: JSON.stringify({ verdict, seconds: takeSeconds(), ...texts }),
    });
    const content = await response.json();
    if (!response.ok) throw new Error(content.error);
    const shown = find(card, ".verdict");
    shown.textContent = content.verdict;
    shown.hidden = false;
    if (texts.chosen ?? texts.answer) find(card, ".text").textContent = texts.chosen ?? texts.answer;
    if (texts.question) find(card, ".asked").textContent = texts.question;
    told.textContent = content.message;
    edit(card, false);
    return true;
  } catch (error) {
    told.textContent = error.message;
    return false;
  }
}

function edit(card, isOpen) {
  const form = find(card, "form.edit");
  if (!form) return;
  const wasOpen = !form.hidden;
  form.hidden = !isOpen;
  if (isOpen) find(form, "textarea").focus();
  else if (wasOpen) card.focus();
}

async function act(card, name) {
  if (name === "edit") edit(card, true);
  else if (name === "cancel") edit(card, false);
  else if (name === "why") find(card, "details")?.toggleAttribute("open");
  else if (find(card, `[data-act="${name}"]`) && (await review(card, name)) && getCurrent() === card) walk(1);
}

function choose(card, names) {
  return names.find((name) => find(card, `[data-act="${name}"]`)) ?? names[0];
}

const KEYS = { a: ["approve", "accept"], r: ["reject"], e: ["edit"], u: ["unclear"], w: ["why"] };

document.addEventListener("keydown", (event) => {
  if (event.isComposing || event.altKey || event.repeat) return;
  const card = getCurrent();
  if (isTyping(event.target)) {
    if (event.key === "Escape" && card) edit(card, false);
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && card) find(card, "form.edit").requestSubmit();
    return;
  }
  if (event.ctrlKey || event.metaKey) return;
  if (event.key === "j" || event.key === "k") walk(event.key === "j" ? 1 : -1);
  else if (card && KEYS[event.key]) act(card, choose(card, KEYS[event.key]));
  else return;
  event.preventDefault();
});

for (const card of cards) {
  for (const button of card.querySelectorAll("[data-act]")) {
    button.addEventListener("click", () => act(card, button.dataset.act));
  }
  for (const button of card.querySelectorAll("[data-check]")) {
    button.addEventListener("click", () => check(card, button));
  }
  find(card, "form.edit")?.addEventListener("submit", (event) => {
    event.preventDefault();
    const fields = [...event.target.querySelectorAll("textarea")];
    review(card, "edit", Object.fromEntries(fields.map((field) => [field.name, field.value.trim()])));
  });
}
