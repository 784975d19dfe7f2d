"""The form behind a thumb down as a modal: what was wrong, what is right, and where it stands. Pure."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from bot.judgement_form import (
    CORRECTION_CHARACTERS,
    PHRASES,
    REASONS,
    SOURCE_CHARACTERS,
    label_passage,
    read_judgement,
)
from bot.slack.blocks import Block, plain
from core.prompt import Language
from core.records import Feedback

FORM = "judgement"
# Slack's limit of a menu.
MOST_OPTIONS = 100

_PHRASES: dict[Language, dict[str, str]] = {
    "en": {**PHRASES["en"], "close": "Not now", "chosen_none": "Choose a source"},
    "ko": {**PHRASES["ko"], "close": "나중에", "chosen_none": "출처 선택"},
}


def render_form(
    interaction_id: int, language: Language, passages: Sequence[Mapping[str, Any]], standing: Feedback | None
) -> Block:
    """The modal; what the person wrote before stands in it, so that sending it again loses nothing.

    Args:
        passages: those that were found for the answer, as stored.
    """
    phrases = _PHRASES[language]
    blocks = [_render_reasons(phrases, standing), _render_text(phrases, "correction", CORRECTION_CHARACTERS, standing)]
    if passages:
        blocks.append(_render_passages(phrases, passages, standing))
    blocks.append(_render_text(phrases, "named", SOURCE_CHARACTERS, standing))
    return {
        "type": "modal",
        "callback_id": FORM,
        "private_metadata": json.dumps({"interaction_id": interaction_id}),
        "title": plain(phrases["title"]),
        "submit": plain(phrases["send"]),
        "close": plain(phrases["close"]),
        "blocks": blocks,
    }


def read_form(view: Mapping[str, Any], base_url: str) -> dict[str, Any]:
    """What a sent form says, as the inbox keeps a judgement."""
    values: Mapping[str, Any] = view["state"]["values"]
    fields = {name: _read(values, name) for name in ("reason", "correction", "chosen", "named")}
    interaction_id = json.loads(view["private_metadata"])["interaction_id"]
    return {"interaction_id": interaction_id, **read_judgement(fields, base_url)}


def _render_reasons(phrases: Mapping[str, str], standing: Feedback | None) -> Block:
    options = {name: {"text": plain(phrases[f"reason_{name}"]), "value": name} for name in REASONS}
    element: Block = {"type": "radio_buttons", "action_id": "reason", "options": list(options.values())}
    if standing and standing.reason in options:
        element["initial_option"] = options[standing.reason]
    return {**_input("reason", phrases, element), "optional": False}


def _render_text(phrases: Mapping[str, str], name: str, limit: int, standing: Feedback | None) -> Block:
    element: Block = {
        "type": "plain_text_input",
        "action_id": name,
        "multiline": name == "correction",
        "max_length": limit,
    }
    before = (standing.correction if name == "correction" else standing.right_source) if standing else None
    if before:
        element["initial_value"] = before[:limit]
    return {**_input(name, phrases, element), "hint": plain(phrases[f"{name}_hint"])}


def _render_passages(
    phrases: Mapping[str, str], passages: Sequence[Mapping[str, Any]], standing: Feedback | None
) -> Block:
    options = {passage["chunk_id"]: _render_option(passage) for passage in passages[:MOST_OPTIONS]}
    element: Block = {
        "type": "static_select",
        "action_id": "chosen",
        "placeholder": plain(phrases["chosen_none"]),
        "options": list(options.values()),
    }
    if standing and standing.right_chunk_id in options:
        element["initial_option"] = options[standing.right_chunk_id]
    return _input("chosen", phrases, element)


def _render_option(passage: Mapping[str, Any]) -> Block:
    """An option is plain text, so nothing in a title is markup."""
    return {"text": plain(label_passage(passage)), "value": str(passage["chunk_id"])}


def _input(name: str, phrases: Mapping[str, str], element: Block) -> Block:
    return {"type": "input", "block_id": name, "optional": True, "label": plain(phrases[name]), "element": element}


def _read(values: Mapping[str, Any], name: str) -> str | None:
    """What one field holds; None where it is empty or not part of this form."""
    block: Mapping[str, Any] = values.get(name) or {}
    field: Mapping[str, Any] = block.get(name) or {}
    option: Mapping[str, Any] = field.get("selected_option") or {}
    said: str = option.get("value") or field.get("value") or ""
    return said.strip() or None
