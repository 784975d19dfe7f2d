// A source opened at its place: beside the chat on a wide screen, as a sheet on a phone.
import { request } from "./api.js";
import { icon, make } from "./dom.js";
import { say } from "./words.js";

const panel = document.getElementById("panel");
const wide = matchMedia("(min-width: 60.01rem)");
let opener = null;
let latest = 0;

export async function openSource(source, from) {
  const ticket = ++latest;
  setOpener(from);
  fill(source, make("p", { class: "where" }, say("loading")));
  if (!panel.open) wide.matches ? panel.show() : panel.showModal();
  panel.querySelector("button").focus();
  let content;
  try {
    content = showPlace(source, await request(`/api${source.url}`));
  } catch (error) {
    content = [make("p", { class: "notice" }, error.status === 404 ? say("place_gone") : error.message),
      make("div", { class: "excerpt" }, make("p", { class: "cited" }, make("mark", {}, source.excerpt)))];
  }
  if (ticket !== latest) return;
  fill(source, ...content);
  panel.querySelector(".close").focus({ preventScroll: true });
  panel.querySelector(".cited")?.scrollIntoView({ block: "nearest" });
}

export function isSourceOpen() {
  return panel.open;
}

export function closeSource() {
  if (panel.open) panel.close();
}

function showPlace(source, place) {
  const around = (text) => (text ? make("p", { class: "around" }, text) : null);
  return [
    make("div", { class: "excerpt" }, around(place.text_before.trim()),
      make("p", { class: "cited", "aria-label": say("cited_passage") }, make("mark", {}, place.passage.trim())), around(place.text_after.trim())),
    make("p", { class: "where" }, make("span", { class: "path" }, place.path)),
    make("a", { class: "more", href: source.url, target: "_blank", rel: "noopener" }, say("whole_page")),
  ];
}

function fill(source, ...content) {
  const place = [source.heading_path, source.page ? say("page", { page: source.page }) : "", source.sensitivity].filter(Boolean);
  const close = make("button", { type: "button", class: "tool close", "aria-label": say("close"), title: say("close"), onclick: closeSource }, icon("close"));
  panel.replaceChildren(
    make("div", { class: "panel-head" }, make("span", {}, `${say("source")} ${source.number}`), close),
    make("div", { class: "panel-body" },
      make("h2", { id: "panel-title" }, source.title),
      place.length ? make("p", { class: "where" }, ...place.map((part) => make("span", {}, part))) : null,
      ...content),
  );
}

function setOpener(from) {
  opener?.classList.remove("is-open");
  opener = from;
  opener.classList.add("is-open");
}

panel.addEventListener("close", () => {
  latest++;
  opener?.classList.remove("is-open");
  opener?.focus();
});
panel.addEventListener("click", (event) => event.target === panel && closeSource());
document.addEventListener("keydown", (event) => event.key === "Escape" && !event.isComposing && closeSource());
