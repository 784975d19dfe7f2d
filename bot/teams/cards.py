"""Adaptive Cards: the few elements that ours are made of. Pure.

Text in a card is plain or Markdown; what a person or document wrote goes in by `make_text`, which lets none of it be
markup. Every action carries its verb in the data too, because not every way back to us keeps it apart.

Source: Adaptive Cards schema 1.5, the newest that Teams shows for bots.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

Card = dict[str, Any]

CARD_TYPE = "application/vnd.microsoft.card.adaptive"
VERSION = "1.5"

_MARKUP = re.compile(r"([\\`*_\[\]()#~<>])")


def make_card(body: Sequence[Card], actions: Sequence[Card] = ()) -> Card:
    """A card; one of buttons only holds them in its body, for a card without a body is not shown everywhere."""
    elements = list(body) or [{"type": "ActionSet", "actions": list(actions)}]
    card: Card = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": VERSION,
        "body": elements,
    }
    return {**card, "actions": list(actions)} if body and actions else card


def make_attachment(card: Card) -> dict[str, Any]:
    """A card as a message carries it."""
    return {"contentType": CARD_TYPE, "content": card}


def make_text(text: str, **looks: Any) -> Card:
    """A paragraph, shown as it was written.

    Args:
        looks: further properties, such as `weight`.
    """
    return {"type": "TextBlock", "text": _MARKUP.sub(r"\\\1", text), "wrap": True, **looks}


def make_execute(verb: str, title: str, data: Mapping[str, Any]) -> Card:
    """A button that is told to us with all that was filled in; the answer replaces the card or is shown beside it."""
    sent = {"verb": verb, **data}
    # What a client without Action.Execute does instead.
    fallback = {"type": "Action.Submit", "title": title, "data": sent}
    return {"type": "Action.Execute", "verb": verb, "title": title, "data": sent, "fallback": fallback}


def make_submit(verb: str, title: str, data: Mapping[str, Any]) -> Card:
    """A button of a dialog, which is told to us with all that was filled in."""
    return {"type": "Action.Submit", "title": title, "data": {"verb": verb, **data}}


def make_opener(verb: str, title: str, data: Mapping[str, Any]) -> Card:
    """A button that opens a dialog, for which we are asked by `task/fetch`."""
    return {"type": "Action.Submit", "title": title, "data": {"verb": verb, "msteams": {"type": "task/fetch"}, **data}}


def make_saying(title: str, words: str) -> Card:
    """A button that says something to us, as if the person had typed it."""
    return {"type": "Action.Submit", "title": title, "data": {"msteams": {"type": "imBack", "value": words}}}


def make_choice(name: str, label: str, choices: Mapping[str, str], *, value: str | None = None) -> Card:
    """A menu; `choices` are titles by value."""
    listed = [{"title": title, "value": key} for key, title in choices.items()]
    field: Card = {"type": "Input.ChoiceSet", "id": name, "label": label, "style": "compact", "choices": listed}
    return {**field, "value": value} if value in choices else field


def make_input(
    name: str, label: str, limit: int, *, value: str | None = None, hint: str = "", long: bool = False
) -> Card:
    """A field for words."""
    field: Card = {"type": "Input.Text", "id": name, "label": label, "maxLength": limit, "isMultiline": long}
    if hint:
        field["placeholder"] = hint
    return {**field, "value": value[:limit]} if value else field
