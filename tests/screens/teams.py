"""Activities and Adaptive Cards on paper, about as Teams shows them.

Not Teams' own drawing: spacing, fonts and colours are near, and nothing can be clicked.
Source of what each element holds: https://adaptivecards.io/explorer, schema 1.5.
"""

import re
from collections.abc import Callable
from html import escape
from typing import Any

from tests.screens.page import (
    UnknownKindError,
    draw_emoji,
    draw_thumbs,
    render_markdown,
    render_markdown_line,
    render_post,
)

_CARD = "application/vnd.microsoft.card.adaptive"
# Stands for a mention while the text is read as Markdown; a private character that no screen holds.
_MENTION = "\ue000"


def render_screen(screen: dict[str, Any] | list[dict[str, Any]]) -> str:
    """HTML of messages, or of a card that stands in a dialog.

    Raises:
        UnknownKindError: an attachment, element or action that none of the functions below draws.
    """
    if isinstance(screen, list):
        return "".join(_render_message(message) for message in screen)
    if screen.get("type") == "AdaptiveCard":
        return f'<div class="dialog">{_draw_card(screen)}</div>'
    return _render_message(screen)


def _render_message(message: dict[str, Any]) -> str:
    entities = message.get("entities", [])
    made = [entity for entity in entities if "AIGeneratedContent" in entity.get("additionalType", [])]
    label = '<div><span class="label-ai">AI generated</span></div>' if made else ""
    text = _render_text(message.get("text", ""), entities)
    cards = "".join(_render_attachment(one) for one in message.get("attachments", []))
    thumbs = draw_thumbs("Like", "Dislike") if "feedbackLoop" in message.get("channelData", {}) else ""
    prompts = "".join(f'<span class="button prompt">{escape(one)}</span>' for one in message.get("prompts", []))
    bubble = f'<div class="bubble">{label}{text}{cards}{thumbs}</div>'
    return render_post(bubble + (f'<div class="actions prompts">{prompts}</div>' if prompts else ""), "App")


def _render_attachment(attached: dict[str, Any]) -> str:
    if attached["contentType"] != _CARD:
        raise UnknownKindError(attached["contentType"])
    return _draw_card(attached["content"])


def _render_text(text: str, entities: list[dict[str, Any]]) -> str:
    """Markdown, with the mentions and citations that the entities name."""
    names: list[str] = []
    for entity in entities:
        if entity["type"] == "mention":
            text = text.replace(entity["text"], _MENTION)
            names.append(entity["mentioned"]["name"])
    html = render_markdown(text) if text else ""
    for name in names:
        html = html.replace(_MENTION, f'<span class="mention">{escape(name)}</span>')
    cited = {f"{one['position']}" for entity in entities for one in entity.get("citation", [])}
    return re.sub(r"\[(\d+)\]", lambda at: f'<span class="cite">{at[1]}</span>' if at[1] in cited else at[0], html)


def _draw(element: dict[str, Any]) -> str:
    if element["type"] not in _ELEMENTS:
        raise UnknownKindError(element["type"])
    return _ELEMENTS[element["type"]](element)


def _draw_card(card: dict[str, Any]) -> str:
    parts = [*card["body"], {"type": "ActionSet", "actions": card.get("actions", [])}]
    return f'<div class="card">{"".join(_draw(part) for part in parts)}</div>'


def _draw_text(element: dict[str, Any]) -> str:
    subtle = "subtle" if element.get("isSubtle") else ""
    kind = f"{element.get('weight', '')} {element.get('size', '')} {subtle}".lower()
    return f'<div class="text {escape(kind)}">{render_markdown_line(element["text"])}</div>'


def _draw_actions(element: dict[str, Any]) -> str:
    buttons = "".join(_draw(action) for action in element["actions"])
    return f'<div class="actions">{buttons}</div>' if buttons else ""


def _draw_button(action: dict[str, Any]) -> str:
    return f'<span class="button">{draw_emoji(escape(action["title"]))}</span>'


def _draw_show_card(action: dict[str, Any]) -> str:
    """A button; its card is drawn too, so that an unknown kind within is found, and hidden as before the click."""
    return f"{_draw_button(action)}<template>{_draw_card(action['card'])}</template>"


def _draw_input_text(element: dict[str, Any]) -> str:
    value, hint = escape(element.get("value", "")), escape(element.get("placeholder", ""))
    shown = value or f'<span class="placeholder">{hint}</span>'
    return f'{_draw_label(element)}<div class="field{" tall" if element.get("isMultiline") else ""}">{shown}</div>'


def _draw_choices(element: dict[str, Any]) -> str:
    chosen = [choice["title"] for choice in element["choices"] if choice["value"] == element.get("value")]
    shown = escape(chosen[0]) if chosen else '<span class="placeholder"></span>'
    return f'{_draw_label(element)}<div class="field select">{shown}</div>'


def _draw_label(element: dict[str, Any]) -> str:
    return f'<div class="label">{escape(element["label"])}</div>'


_ELEMENTS: dict[str, Callable[[dict[str, Any]], str]] = {
    "Action.Execute": _draw_button,
    "Action.OpenUrl": _draw_button,
    "Action.ShowCard": _draw_show_card,
    "Action.Submit": _draw_button,
    "ActionSet": _draw_actions,
    "Input.ChoiceSet": _draw_choices,
    "Input.Text": _draw_input_text,
    "TextBlock": _draw_text,
}
