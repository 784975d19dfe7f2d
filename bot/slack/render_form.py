"""The form behind a thumb down: what was wrong, what is right, and where it stands. Pure."""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from bot.slack.blocks import Block, plain
from core.prompt import Language
from core.records import Feedback

FORM = "judgement"
REASONS = ("wrong", "wrong_document", "incomplete", "not_understood", "other")
CORRECTION_CHARACTERS = 3_000
SOURCE_CHARACTERS = 500
# Slack's limits: the text of an option, and options of a menu.
OPTION_CHARACTERS = 75
MOST_OPTIONS = 100

_PHRASES: dict[Language, dict[str, str]] = {
    "en": {
        "title": "What was wrong?",
        "send": "Send",
        "close": "Not now",
        "reason": "Reason",
        "reason_wrong": "The answer is wrong",
        "reason_wrong_document": "It is from the wrong document",
        "reason_incomplete": "Something is missing",
        "reason_not_understood": "My question was not understood",
        "reason_other": "Something else",
        "correction": "The right answer",
        "correction_hint": "In your own words, as a colleague would say it.",
        "chosen": "Which of these sources holds it?",
        "chosen_none": "Choose a source",
        "named": "Another source",
        "named_hint": "A document's name, or a link to it.",
    },
    "ko": {
        "title": "무엇이 아쉬웠나요?",
        "send": "보내기",
        "close": "나중에",
        "reason": "이유",
        "reason_wrong": "답이 틀렸습니다",
        "reason_wrong_document": "다른 문서에서 가져왔습니다",
        "reason_incomplete": "빠진 내용이 있습니다",
        "reason_not_understood": "질문을 이해하지 못했습니다",
        "reason_other": "그 밖의 이유",
        "correction": "올바른 답변",
        "correction_hint": "동료에게 말하듯이 적어 주세요.",
        "chosen": "어느 출처에 있나요?",
        "chosen_none": "출처 선택",
        "named": "다른 출처",
        "named_hint": "문서 이름이나 링크를 적어 주세요.",
    },
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
    """What a sent form says, as the inbox keeps a judgement.

    A link to a passage of ours names that passage, as if it had been chosen.
    """
    values: Mapping[str, Any] = view["state"]["values"]
    named = _read(values, "named")
    chosen = _read(values, "chosen") or _read_passage(named, base_url)
    return {
        "interaction_id": json.loads(view["private_metadata"])["interaction_id"],
        "reason": _read(values, "reason"),
        "correction": _read(values, "correction"),
        "right_chunk_id": int(chosen) if chosen else None,
        "right_source": named,
    }


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
    """`[2] Leave policy › Annual leave`; an option is plain text, so nothing in a title is markup."""
    place = " › ".join(" ".join(part.split()) for part in (passage["title"], passage["heading_path"]) if part)
    label = f"[{passage['number']}] {place}"
    if len(label) > OPTION_CHARACTERS:
        label = label[: OPTION_CHARACTERS - 1] + "…"
    return {"text": plain(label), "value": str(passage["chunk_id"])}


def _input(name: str, phrases: Mapping[str, str], element: Block) -> Block:
    return {"type": "input", "block_id": name, "optional": True, "label": plain(phrases[name]), "element": element}


def _read(values: Mapping[str, Any], name: str) -> str | None:
    """What one field holds; None where it is empty or not part of this form."""
    block: Mapping[str, Any] = values.get(name) or {}
    field: Mapping[str, Any] = block.get(name) or {}
    option: Mapping[str, Any] = field.get("selected_option") or {}
    said: str = option.get("value") or field.get("value") or ""
    return said.strip() or None


def _read_passage(named: str | None, base_url: str) -> str | None:
    found = re.fullmatch(rf"<?{re.escape(base_url)}/passages/(\d{{1,18}})(?:[?#|].*)?>?", named or "")
    return found[1] if found else None
