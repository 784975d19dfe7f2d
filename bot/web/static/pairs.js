// Pairs, and answers that people disagree on, by keyboard: j and k walk, a, r, e and u judge, w opens the reasons.
// Buttons do the same.
const cards = [...document.querySelectorAll("[data-review]")];

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
    const headers = { "Content-Type": "application/json" };
    const response = await fetch(button.dataset.check, { method: "POST", headers, body: "{}" });
    const content = await response.json();
    if (!response.ok) throw new Error(content.error);
    told.textContent = content.message;
    button.replaceWith(content.verdict);
  } catch (error) {
    told.textContent = error.message;
  }
}

async function review(card, verdict, chosen) {
  const told = find(card, ".told");
  try {
    const response = await fetch(card.dataset.review, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ verdict, chosen }),
    });
    const content = await response.json();
    if (!response.ok) throw new Error(content.error);
    const shown = find(card, ".verdict");
    shown.textContent = content.verdict;
    shown.hidden = false;
    if (chosen) find(card, ".text").textContent = chosen;
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
  if (isOpen) form.elements.chosen.focus();
  else if (wasOpen) card.focus();
}

async function act(card, name) {
  if (name === "edit") edit(card, true);
  else if (name === "cancel") edit(card, false);
  else if (name === "why") find(card, "details")?.toggleAttribute("open");
  else if (find(card, `[data-act="${name}"]`) && (await review(card, name)) && getCurrent() === card) walk(1);
}

const KEYS = { a: "approve", r: "reject", e: "edit", u: "unclear", w: "why" };

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
  else if (card && KEYS[event.key]) act(card, KEYS[event.key]);
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
    review(card, "edit", event.target.elements.chosen.value.trim());
  });
}
