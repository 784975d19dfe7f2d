"""A person's own card. Pure."""

from datetime import datetime

from bot.home import Home, Judged, Recent
from bot.own_wording import OWN_PHRASES, say_own
from bot.teams.cards import Card, make_attachment, make_card, make_execute, make_text
from bot.teams.connector import Message
from core.prompt import Language

CONSENT, FORGET_ME, ASK_NOW = "consent", "forget_me", "ask_now"
SHOWN_CHARACTERS = 300

_PHRASES: dict[Language, dict[str, str]] = {
    "en": {"vote": "Your 👎 of {day}: {question}", "forgetting": "I am erasing it, and say so when it is done."},
    "ko": {"vote": "{day}의 👎: {question}", "forgetting": "지우고 있습니다. 끝나면 알려 드리겠습니다."},
}


def render_own(home: Home, language: Language) -> Message:
    """The card."""
    phrases = OWN_PHRASES[language]
    recent = [_render_recent(one) for one in home.recent] or [make_text(phrases["recent_none"])]
    judged = [element for one in home.judged for element in _render_judged(one, language)]
    body = [
        _head(phrases["recent"]),
        *recent,
        _head(phrases["judged"]),
        *(judged or [make_text(phrases["judged_none"])]),
        _head(phrases["consent"]),
        make_text(phrases["consent_yes" if home.allows_training else "consent_no"]),
    ]
    label = phrases["refuse" if home.allows_training else "agree"]
    consent = make_execute(CONSENT, label, {"allows": not home.allows_training})
    return {"attachments": [make_attachment(make_card(body, [consent, _make_forget(language)]))]}


def render_forgetting(language: Language) -> Card:
    """In place of the card, once the wish is stored."""
    return make_card([make_text(_PHRASES[language]["forgetting"])])


def _make_forget(language: Language) -> Card:
    """A button that asks once more: cards know no question before an action."""
    sure = make_text(say_own("forget_sure", language, place="Teams"))
    yes = make_execute(FORGET_ME, say_own("forget_yes", language), {})
    return {"type": "Action.ShowCard", "title": say_own("forget", language), "card": make_card([sure], [yes])}


def _render_recent(one: Recent) -> Card:
    return make_text(f"• {_cut(one.question)} — {_day(one.began_at)}")


def _render_judged(one: Judged, language: Language) -> list[Card]:
    lines = [
        _PHRASES[language]["vote"].format(day=_day(one.given_at), question=_cut(one.question)),
        say_own(one.effect, language, day=_day(one.served_at) if one.served_at else ""),
    ]
    if one.answer_now and one.answered_at:
        lines.append(say_own("now", language, day=_day(one.answered_at), answer=_cut(one.answer_now)))
    ask = make_execute(ASK_NOW, say_own("ask_now", language), {"interaction_id": one.id})
    return [*(make_text(line) for line in lines), {"type": "ActionSet", "actions": [ask]}]


def _cut(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= SHOWN_CHARACTERS else line[: SHOWN_CHARACTERS - 1] + "…"


def _day(at: datetime) -> str:
    return f"{at:%Y-%m-%d}"


def _head(text: str) -> Card:
    return make_text(text, weight="Bolder", size="Medium")
