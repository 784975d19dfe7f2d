// A small Markdown: paragraphs, lists, code, tables, bold and [n], built as nodes so that no text becomes markup.
import { make } from "./dom.js";

const INLINE = /(`[^`\n]+`|\*\*[^*\n]+\*\*|\[\d+\])/;
const BULLET = /^\s*[-*•]\s+/;
const NUMBER = /^\s*\d+[.)]\s+/;
const ROW = /^\s*\|.*\|\s*$/;
const RULE = /^\s*\|[\s:|-]+\|\s*$/;

// `cite(number)` makes the node of a citation, or null where the number is no source.
export function renderText(text, cite) {
  const fragment = document.createDocumentFragment();
  for (const block of splitBlocks(text)) fragment.append(renderBlock(block, cite));
  return fragment;
}

function splitBlocks(text) {
  const blocks = [];
  let current = null;
  for (const line of text.split("\n")) {
    if (current?.kind === "code") {
      if (line.trim().startsWith("```")) current = null;
      else current.lines.push(line);
      continue;
    }
    const kind = kindOf(line);
    if (kind === "blank") current = null;
    else if (kind === "code" || current?.kind !== kind) {
      current = { kind, lines: kind === "code" ? [] : [line] };
      blocks.push(current);
    } else current.lines.push(line);
  }
  return blocks;
}

function kindOf(line) {
  if (!line.trim()) return "blank";
  if (line.trim().startsWith("```")) return "code";
  if (BULLET.test(line)) return "ul";
  if (NUMBER.test(line)) return "ol";
  return ROW.test(line) ? "table" : "p";
}

function renderBlock({ kind, lines }, cite) {
  if (kind === "code") return make("pre", {}, make("code", {}, lines.join("\n")));
  if (kind === "table") return renderTable(lines, cite);
  if (kind === "p") return make("p", {}, ...withBreaks(lines, cite));
  const mark = kind === "ul" ? BULLET : NUMBER;
  const items = lines.map((line) => make("li", {}, ...renderInline(line.replace(mark, ""), cite)));
  const start = kind === "ol" ? parseInt(lines[0], 10) : 1;
  return make(kind, start > 1 ? { start } : {}, ...items);
}

function renderTable(lines, cite) {
  const hasHead = lines.length > 1 && RULE.test(lines[1]);
  const rows = lines.filter((line) => !RULE.test(line)).map((line) => line.trim().slice(1, -1).split("|"));
  const toRow = (cells, tag) => make("tr", {}, ...cells.map((cell) => make(tag, {}, ...renderInline(cell.trim(), cite))));
  const head = hasHead ? make("thead", {}, toRow(rows[0], "th")) : null;
  const body = make("tbody", {}, ...rows.slice(hasHead ? 1 : 0).map((cells) => toRow(cells, "td")));
  return make("div", { class: "table" }, make("table", {}, head, body));
}

function withBreaks(lines, cite) {
  return lines.flatMap((line, number) => [...(number ? [make("br")] : []), ...renderInline(line, cite)]);
}

function renderInline(text, cite) {
  return text.split(INLINE).filter(Boolean).map((piece) => {
    if (piece.startsWith("`") && piece.length > 2) return make("code", {}, piece.slice(1, -1));
    if (piece.startsWith("**") && piece.length > 4) return make("strong", {}, piece.slice(2, -2));
    const number = /^\[(\d+)\]$/.exec(piece)?.[1];
    return (number && cite(Number(number))) || document.createTextNode(piece);
  });
}
