"""The form behind a thumb down, on any platform: its fields, their words and limits, and what a sent one says. Pure."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from core.prompt import Language

REASONS = ("wrong", "wrong_document", "incomplete", "not_understood", "other")
CORRECTION_CHARACTERS = 3_000
SOURCE_CHARACTERS = 500
# What a menu of Slack takes, and about what one of Teams shows.
LABEL_CHARACTERS = 75

# Each field, `reason_` before each reason and `_hint` behind what has one.
PHRASES: dict[Language, dict[str, str]] = {
    "en": {
        "title": "What was wrong?",
        "send": "Send",
        "reason": "Reason",
        "reason_wrong": "The answer is wrong",
        "reason_wrong_document": "It is from the wrong document",
        "reason_incomplete": "Something is missing",
        "reason_not_understood": "My question was not understood",
        "reason_other": "Something else",
        "correction": "The right answer",
        "correction_hint": "In your own words, as a colleague would say it.",
        "chosen": "Which of these sources holds it?",
        "named": "Another source",
        "named_hint": "A document's name, or a link to it.",
    },
    "ko": {
        "title": "무엇이 아쉬웠나요?",
        "send": "보내기",
        "reason": "이유",
        "reason_wrong": "답이 틀렸습니다",
        "reason_wrong_document": "다른 문서에서 가져왔습니다",
        "reason_incomplete": "빠진 내용이 있습니다",
        "reason_not_understood": "질문을 이해하지 못했습니다",
        "reason_other": "그 밖의 이유",
        "correction": "올바른 답변",
        "correction_hint": "동료에게 말하듯이 적어 주세요.",
        "chosen": "어느 출처에 있나요?",
        "named": "다른 출처",
        "named_hint": "문서 이름이나 링크를 적어 주세요.",
    },
}


def label_passage(passage: Mapping[str, Any], tame: Callable[[str], str] = str) -> str:
    """`[2] Leave policy › Annual leave`, cut to what a menu shows.

    Args:
        tame: takes from a document's own words what the platform would read as markup.
    """
    place = " › ".join(" ".join(part.split()) for part in (passage["title"], passage["heading_path"]) if part)
    label = f"[{passage['number']}] {tame(place)}"
    return label if len(label) <= LABEL_CHARACTERS else label[: LABEL_CHARACTERS - 1] + "…"


def read_judgement(fields: Mapping[str, str | None], base_url: str) -> dict[str, Any]:
    """What a sent form says, as the inbox keeps a judgement.

    A link to a passage of ours names that passage, as if it had been chosen.

    Args:
        fields: what stands in `reason`, `correction`, `chosen` and `named`; from outside, so nothing of it is trusted.
    """
    reason, named = fields["reason"], fields["named"]
    chosen = fields["chosen"] or _find_passage(named, base_url)
    return {
        "reason": reason if reason in REASONS else None,
        "correction": (fields["correction"] or "")[:CORRECTION_CHARACTERS] or None,
        "right_chunk_id": int(chosen) if chosen and re.fullmatch(r"\d{1,18}", chosen) else None,
        "right_source": (named or "")[:SOURCE_CHARACTERS] or None,
    }


def _find_passage(named: str | None, base_url: str) -> str | None:
    found = re.fullmatch(rf"<?{re.escape(base_url)}/passages/(\d{{1,18}})(?:[?#|].*)?>?", named or "")
    return found[1] if found else None
