"""Block Kit on paper: messages, modals and the Home tab about as Slack shows them.

Not Slack's own drawing: spacing, fonts and colours are near, and nothing can be clicked.
Source of what each block holds: https://docs.slack.dev/reference/block-kit
"""

import re
from collections.abc import Callable
from html import escape, unescape
from typing import Any

from tests.screens.page import UnknownKindError, draw_emoji, draw_thumbs, render_markdown, render_post

_NAMES = {"U0ANN": "Ann", "U0EVE": "Eve", "U0ADA": "Ada"}
# Stands for a quotation's sign, so that an escaped one stays a sign.
_QUOTE = "\ue000"
_TOKEN = re.compile(r"(<[^<>]+>|`[^`\n]+`)")


def render_screen(screen: dict[str, Any] | list[dict[str, Any]]) -> str:
    """HTML of a message (a list of blocks), a modal or a Home tab.

    Raises:
        UnknownKindError: a block or element that none of the functions below draws.
    """
    if isinstance(screen, list):
        return render_post(_render_blocks(screen), "APP")
    if screen["type"] == "home":
        return f'<div class="home">{_render_blocks(screen["blocks"])}</div>'
    if screen["type"] != "modal":
        raise UnknownKindError(screen["type"])
    close = _button(screen["close"], "")
    submit = _button(screen["submit"], "primary") if "submit" in screen else ""
    title = f'<div class="title">{_plain(screen["title"])}<span class="close">×</span></div>'
    body = f'<div class="body">{_render_blocks(screen["blocks"])}</div>'
    return f'<div class="modal">{title}{body}<div class="foot">{close}{submit}</div></div>'


def render_mrkdwn(text: str) -> str:
    """HTML of Slack's own markup: links, mentions, dates, code, bold, italic; whatever else it holds stays text."""
    pieces = [_render_token(piece) if at % 2 else _emphasise(piece) for at, piece in enumerate(_TOKEN.split(text))]
    lines = _strengthen("".join(pieces)).split("\n")
    return draw_emoji("".join(_draw_line(line) for line in lines))


def _draw_line(html: str) -> str:
    """A quotation begins with a sign that is not escaped; one of a document's words is, and is shown."""
    return f"<blockquote>{html[1:]}</blockquote>" if html.startswith(_QUOTE) else f"<div>{html or '<br>'}</div>"


def _emphasise(text: str) -> str:
    quoted = re.sub(r"(?m)^>", _QUOTE, text)
    return re.sub(r"(?<!\w)_([^_\n]+)_(?!\w)", r"<i>\1</i>", escape(unescape(quoted)))


def _strengthen(html: str) -> str:
    """Bold may hold a link, and a star in an attribute is nobody's emphasis."""
    return re.sub(r"(?<![\w*=\"/])\*([^*\n]+)\*(?![\w*])", r"<b>\1</b>", html)


def _render_token(token: str) -> str:
    if token.startswith("`"):
        return f"<code>{escape(unescape(token[1:-1]))}</code>"
    target, _, label = token[1:-1].partition("|")
    if target.startswith("@"):
        return f'<span class="mention">@{escape(_NAMES.get(target[1:], target[1:]))}</span>'
    words = escape(unescape(label or target))
    return words if target.startswith("!date") else f'<span class="link">{words}</span>'


def _render_blocks(blocks: list[dict[str, Any]]) -> str:
    return "".join(_draw(block, _BLOCKS) for block in blocks)


def _draw(element: dict[str, Any], kinds: dict[str, Callable[[dict[str, Any]], str]]) -> str:
    if element["type"] not in kinds:
        raise UnknownKindError(element["type"])
    return kinds[element["type"]](element)


def _plain(text: dict[str, Any]) -> str:
    return draw_emoji(escape(text["text"]))


def _text(text: dict[str, Any]) -> str:
    return _draw(text, {"mrkdwn": lambda one: render_mrkdwn(one["text"]), "plain_text": _plain})


def _button(text: dict[str, Any], style: str) -> str:
    return f'<span class="button {escape(style)}">{_plain(text)}</span>'


def _draw_section(block: dict[str, Any]) -> str:
    beside = f"<div>{_draw(block['accessory'], _ELEMENTS)}</div>" if "accessory" in block else ""
    return f'<div class="section"><div>{_text(block["text"])}</div>{beside}</div>'


def _draw_context(block: dict[str, Any]) -> str:
    return f'<div class="context">{" ".join(_text(element) for element in block["elements"])}</div>'


def _draw_rich_text(block: dict[str, Any]) -> str:
    rows = ("".join(_draw(part, _PARTS) for part in row["elements"]) for row in block["elements"])
    return f'<div class="section"><div>{"".join(f"<div>{row}</div>" for row in rows)}</div></div>'


def _draw_words(part: dict[str, Any]) -> str:
    words = _plain(part)
    return f"<i>{words}</i>" if part.get("style", {}).get("italic") else words


def _draw_actions(block: dict[str, Any]) -> str:
    return f'<div class="actions">{"".join(_draw(element, _ELEMENTS) for element in block["elements"])}</div>'


def _draw_input(block: dict[str, Any]) -> str:
    optional = ' <span class="optional">(optional)</span>' if block.get("optional") else ""
    hint = f'<div class="hint">{_plain(block["hint"])}</div>' if "hint" in block else ""
    label = f'<div class="label">{_plain(block["label"])}{optional}</div>'
    return f'<div class="input">{label}{_draw(block["element"], _ELEMENTS)}{hint}</div>'


def _draw_thumbs(element: dict[str, Any]) -> str:
    return draw_thumbs(*(element[f"{side}_button"]["text"]["text"] for side in ("positive", "negative")))


def _draw_text_input(element: dict[str, Any]) -> str:
    size = " tall" if element.get("multiline") else ""
    return f'<div class="field{size}">{escape(element.get("initial_value", ""))}</div>'


def _draw_radio(element: dict[str, Any]) -> str:
    chosen = element.get("initial_option")
    rows = [(option, "radio on" if option == chosen else "radio") for option in element["options"]]
    return "".join(f'<div class="choice"><span class="{kind}"></span>{_plain(one["text"])}</div>' for one, kind in rows)


def _draw_select(element: dict[str, Any]) -> str:
    chips = "".join(f'<span class="chip">{_plain(one["text"])}</span>' for one in element.get("initial_options", []))
    chosen = _plain(element["initial_option"]["text"]) if "initial_option" in element else chips
    shown = chosen or f'<span class="placeholder">{_plain(element["placeholder"])}</span>'
    return f'<div class="field select">{shown}</div>'


_BLOCKS: dict[str, Callable[[dict[str, Any]], str]] = {
    "actions": _draw_actions,
    "context": _draw_context,
    "context_actions": _draw_actions,
    "divider": lambda _: "<hr>",
    "header": lambda block: f"<h3>{_plain(block['text'])}</h3>",
    "input": _draw_input,
    "markdown": lambda block: f'<div class="markdown">{render_markdown(block["text"])}</div>',
    "rich_text": _draw_rich_text,
    "section": _draw_section,
}
_PARTS: dict[str, Callable[[dict[str, Any]], str]] = {
    "date": lambda part: escape(part["fallback"]),
    "text": _draw_words,
}
_ELEMENTS: dict[str, Callable[[dict[str, Any]], str]] = {
    "button": lambda element: _button(element["text"], element.get("style", "")),
    "feedback_buttons": _draw_thumbs,
    "multi_static_select": _draw_select,
    "plain_text_input": _draw_text_input,
    "radio_buttons": _draw_radio,
    "static_select": _draw_select,
}
