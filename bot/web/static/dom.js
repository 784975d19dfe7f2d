// Nodes by hand: text goes in as text, never as markup.
const SVG = "http://www.w3.org/2000/svg";

const ICONS = {
  up: "M7 9.5v7H4.500a1 1 0 0 1-1-1v-5a1 1 0 0 1 1-1zM7 9.500l3.2-6.300c1.3 0 2.1.9 2 2.200l-.4 2.600h3.300a1.5 1.5 0 0 1 1.5 1.800l-.9 5.200a1.8 1.8 0 0 1-1.8 1.500H7",
  down: "M13 10.500v-7h2.500a1 1 0 0 1 1 1v5a1 1 0 0 1-1 1zM13 10.500l-3.2 6.300c-1.3 0-2.1-.9-2-2.200l.4-2.600H4.900a1.5 1.5 0 0 1-1.5-1.800l.9-5.200A1.8 1.8 0 0 1 6.1 3.500H13",
  copy: "M7.5 7.500V4.800A1.3 1.3 0 0 1 8.8 3.500h6.400a1.3 1.3 0 0 1 1.3 1.300v6.400a1.3 1.3 0 0 1-1.3 1.300h-2.700M4.8 7.500h6.400a1.3 1.3 0 0 1 1.3 1.300v6.400a1.3 1.3 0 0 1-1.3 1.300H4.800a1.3 1.3 0 0 1-1.3-1.300V8.800a1.3 1.3 0 0 1 1.3-1.300z",
  close: "M5 5l10 10M15 5L5 15",
};

export function make(tag, properties = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name === "class") node.className = value;
    else if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (value !== null && value !== false) node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

export function icon(name) {
  const drawing = document.createElementNS(SVG, "svg");
  drawing.setAttribute("viewBox", "0 0 20 20");
  drawing.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", ICONS[name]);
  drawing.append(path);
  return drawing;
}

export function toolButton(name, label, onclick, extra = {}) {
  return make("button", { type: "button", class: "tool", "aria-label": label, title: label, onclick, ...extra }, icon(name));
}
