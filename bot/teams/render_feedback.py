"""What stands under an answer for people to judge it by, the form behind it, and the quiet words that follow. Pure."""

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
from bot.reply import FinishedAnswer
from bot.teams.cards import Card, make_card, make_choice, make_execute, make_input, make_opener, make_submit, make_text
from bot.teams.markdown import to_markdown
from core.prompt import Language
from core.records import Feedback

EXPLAIN, JUDGE, AGAIN, ASK_HUMAN = "explain", "judge", "again", "ask_human"
MOST_OPTIONS = 30

_PHRASES: dict[Language, dict[str, str]] = {
    "en": {
        **PHRASES["en"],
        "explain": "Say what was wrong",
        "again": "Try again",
        "human": "Ask a human",
        "human_sure": "Colleagues who know about it will see your question and this answer.",
        "human_yes": "Ask them",
        "thanks": "Thank you. Only admins see what you wrote, and the next answers learn from it.",
        "again_taken": "I am trying again.",
        "human_taken": "I pass your question on to colleagues. You will hear here what they say.",
        "stopped": "I am stopping.",
        "unknown": "This answer is not known any more.",
    },
    "ko": {
        **PHRASES["ko"],
        "explain": "아쉬웠던 점 알리기",
        "again": "다시 답변받기",
        "human": "담당자에게 묻기",
        "human_sure": "담당자들이 질문과 이 답변을 보게 됩니다.",
        "human_yes": "묻기",
        "thanks": "감사합니다. 남겨 주신 내용은 관리자만 볼 수 있으며 다음 답변에 반영됩니다.",
        "again_taken": "다시 답변하고 있습니다.",
        "human_taken": "담당자에게 질문을 전달합니다. 답변이 오면 이곳에서 알려 드리겠습니다.",
        "stopped": "중지하고 있습니다.",
        "unknown": "더 이상 찾을 수 없는 답변입니다.",
    },
}


def say_feedback(phrase: str, language: Language) -> str:
    """One phrase."""
    return _PHRASES[language][phrase]


def render_feedback(answer: FinishedAnswer) -> Card:
    """The buttons under an answer; each names it, so any message of it can hold them."""
    phrases, data = _PHRASES[answer.language], {"interaction_id": answer.interaction_id}
    buttons = [make_opener(EXPLAIN, phrases["explain"], data), make_execute(AGAIN, phrases["again"], data)]
    if answer.can_ask_human:
        sure = make_card([make_text(phrases["human_sure"])], [make_execute(ASK_HUMAN, phrases["human_yes"], data)])
        buttons.append({"type": "Action.ShowCard", "title": phrases["human"], "card": sure})
    return make_card([], buttons)


def render_form(
    interaction_id: int,
    language: Language,
    passages: Sequence[Mapping[str, Any]],
    standing: Feedback | None,
    *,
    in_dialog: bool,
) -> Card:
    """Reason, correction and right source; what the person wrote before stands in it.

    Args:
        passages: those that were found for the answer, as stored.
        in_dialog: a dialog has a title of its own and knows only Action.Submit.
    """
    phrases, data = _PHRASES[language], {"interaction_id": interaction_id}
    body: list[Card] = [] if in_dialog else [make_text(phrases["title"], weight="Bolder")]
    reasons = {name: phrases[f"reason_{name}"] for name in REASONS}
    body.append(make_choice("reason", phrases["reason"], reasons, value=standing.reason if standing else None))
    body.append(
        _render_words(phrases, "correction", CORRECTION_CHARACTERS, standing and standing.correction, long=True)
    )
    if passages:
        options = {str(passage["chunk_id"]): _label(passage) for passage in passages[:MOST_OPTIONS]}
        chosen = str(standing.right_chunk_id) if standing and standing.right_chunk_id else None
        body.append(make_choice("chosen", phrases["chosen"], options, value=chosen))
    body.append(_render_words(phrases, "named", SOURCE_CHARACTERS, standing and standing.right_source))
    make = make_submit if in_dialog else make_execute
    return make_card(body, [make(JUDGE, phrases["send"], data)])


def render_thanks(language: Language) -> Card:
    """What takes the form's place once it was sent."""
    return make_card([make_text(_PHRASES[language]["thanks"])])


def read_form(data: Mapping[str, Any], base_url: str) -> dict[str, Any]:
    """What a sent form says, as the inbox keeps a judgement."""
    return read_judgement({name: _read(data, name) for name in ("reason", "correction", "chosen", "named")}, base_url)


def _render_words(phrases: Mapping[str, str], name: str, limit: int, before: str | None, *, long: bool = False) -> Card:
    return make_input(name, phrases[name], limit, value=before, hint=phrases[f"{name}_hint"], long=long)


def _label(passage: Mapping[str, Any]) -> str:
    """Plain text in a menu, and no link where a client takes it for Markdown."""
    return label_passage(passage, lambda place: to_markdown(place).replace("&lt;", "<"))


def _read(data: Mapping[str, Any], name: str) -> str | None:
    value = data.get(name)
    return value.strip() or None if isinstance(value, str) else None
