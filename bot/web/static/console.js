// Buttons that act, with a question before and words after, and the progress of a night.
import { headers } from "./post.js";

const WATCH_PAUSE = 1500;
const message = document.getElementById("message");
const progress = document.getElementById("progress");

function tell(words) {
  message.textContent = words;
  message.hidden = !words;
}

async function act(button) {
  if (button.dataset.ask && !confirm(button.dataset.ask)) return;
  button.disabled = true;
  try {
    const options = { method: "POST", headers, body: button.dataset.body };
    const response = await fetch(button.dataset.post, options);
    const content = await response.json();
    if (!response.ok) throw new Error(content.error);
    tell(content.message);
    if (button.dataset.stay) watch();
    else location.reload();
  } catch (error) {
    tell(error.message);
    button.disabled = false;
  }
}

async function watch() {
  progress.hidden = false;
  const state = await fetch(progress.dataset.watch).then((response) => response.json()).catch(() => null);
  if (state && !state.is_running) return location.reload();
  for (const [number, stage] of [...progress.querySelectorAll("li")].entries()) {
    stage.className = number < state?.stage_number ? "is-past" : number === state?.stage_number ? "is-now" : "";
  }
  setTimeout(watch, WATCH_PAUSE);
}

// What a phone shows beside each cell; the first cell names its row and needs none.
for (const table of document.querySelectorAll("table")) {
  const heads = [...table.querySelectorAll("th")].map((head) => head.textContent);
  for (const row of table.querySelectorAll("tbody tr")) {
    for (const [at, cell] of [...row.cells].entries()) {
      if (!cell.textContent.trim()) cell.classList.add("empty");
      else if (at > 0 && !cell.querySelector("button")) cell.dataset.label = heads[at];
    }
  }
}
for (const button of document.querySelectorAll("button[data-post]")) button.addEventListener("click", () => act(button));
if (progress && !progress.hidden) watch();
