"""The app's Home, and what is said of consent and of being forgotten. Pure."""

from datetime import datetime
from string import Formatter

from bot.home import Home, Judged, Recent
from bot.own_wording import OWN_PHRASES
from bot.slack.blocks import Block, button, plain, rich_text, section
from core.prompt import Language

CONSENT, FORGET_ME, ASK_NOW = "consent", "forget_me", "ask_now"
SHOWN_CHARACTERS = 300

_PHRASES: dict[Language, dict[str, str]] = {
    "en": {
        "title": "Ask me about the company's documents",
        "can": "• Write to me in *Messages*, or mention me in a channel; in a thread I have answered in, just go on.\n"
        "• `/nightbake ask` answers you alone, `/nightbake search` lists documents.\n"
        "• *Answer this*, in the menu of any message, answers it in its thread.\n"
        "• In a channel I use only what everyone there may read. Thumbs teach me overnight; only admins see them.",
        "vote": "Your 👎 of {day}: {question}",
    },
    "ko": {
        "title": "회사 문서에 대해 물어보세요",
        "can": "• *메시지* 탭에서 묻거나 채널에서 멘션해 주세요. 제가 답한 스레드에서는 바로 이어서 물으시면 됩니다.\n"
        "• `/nightbake ask`는 본인에게만 답하고 `/nightbake search`는 문서 목록을 보여 드립니다.\n"
        "• 메시지 메뉴에서 *Answer this* 항목을 누르면 그 스레드에 답합니다.\n"
        "• 채널에서는 모두가 열람할 수 있는 내용만 사용합니다. 평가는 밤새 학습에 쓰이며 관리자만 볼 수 있습니다.",
        "vote": "{day}의 👎: {question}",
    },
}


def say_home(phrase: str, language: Language, **values: object) -> str:
    """One phrase; what is put in must be escaped."""
    return (_PHRASES[language] | OWN_PHRASES[language])[phrase].format(place="Slack", **values)


def render_home(home: Home, language: Language) -> Block:
    """The view that a person finds in the Home tab."""
    phrases = _PHRASES[language] | OWN_PHRASES[language]
    recent = [_render_recent(one) for one in home.recent] or [section(phrases["recent_none"])]
    judged = [block for one in home.judged for block in _render_judged(one, language)]
    return {
        "type": "home",
        "blocks": [
            _header(phrases["title"]),
            section(phrases["can"]),
            _header(phrases["recent"]),
            *recent,
            _header(phrases["judged"]),
            *(judged or [section(phrases["judged_none"])]),
            _header(phrases["consent"]),
            _render_consent(home, language),
            _render_forget(language),
        ],
    }


def render_forget(language: Language) -> list[Block]:
    """The offer to be forgotten, as an answer to a command."""
    return [_render_forget(language)]


def _render_recent(one: Recent) -> Block:
    return rich_text(_words("• "), _words(_cut(one.question)), _words(" — "), _date(one.began_at))


def _render_judged(one: Judged, language: Language) -> list[Block]:
    question = _words(_cut(one.question)) | {"style": {"italic": True}}
    effect = say_home(one.effect, language, day=_day(one.served_at) if one.served_at else "")
    again = button(ASK_NOW, say_home("ask_now", language), str(one.id))
    blocks = [_fill("vote", language, day=_date(one.given_at), question=question), section(effect)]
    blocks[1]["accessory"] = again
    if one.answer_now and one.answered_at:
        blocks.append(_fill("now", language, day=_date(one.answered_at), answer=_words(_cut(one.answer_now))))
    return blocks


def _fill(phrase: str, language: Language, **parts: Block) -> Block:
    """One phrase as text without markup, so that a person's stars stay stars."""
    found: list[Block] = []
    for literal, name, _, _ in Formatter().parse((_PHRASES[language] | OWN_PHRASES[language])[phrase]):
        found += [_words(literal)] if literal else []
        found += [parts[name]] if name else []
    return rich_text(*found)


def _words(text: str) -> Block:
    return {"type": "text", "text": text}


def _render_consent(home: Home, language: Language) -> Block:
    phrases = OWN_PHRASES[language]
    text, label, value = ("consent_yes", "refuse", "no") if home.allows_training else ("consent_no", "agree", "yes")
    return section(phrases[text]) | {"accessory": button(CONSENT, phrases[label], value)}


def _render_forget(language: Language) -> Block:
    phrases = OWN_PHRASES[language]
    asked = {"title": "forget", "text": "forget_sure", "confirm": "forget_yes", "deny": "forget_no"}
    confirm: Block = {part: plain(say_home(name, language)) for part, name in asked.items()} | {"style": "danger"}
    forget = button(FORGET_ME, phrases["forget"], language) | {"style": "danger", "confirm": confirm}
    return section(phrases["forget_text"]) | {"accessory": forget}


def _cut(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= SHOWN_CHARACTERS else line[: SHOWN_CHARACTERS - 1] + "…"


def _date(at: datetime) -> Block:
    """As `_day`, in text without markup."""
    fallback = f"{at:%Y-%m-%d}"
    return {"type": "date", "timestamp": int(at.timestamp()), "format": "{date_short_pretty}", "fallback": fallback}


def _day(at: datetime) -> str:
    """A day in the reader's own time zone."""
    return f"<!date^{int(at.timestamp())}^{{date_short_pretty}}|{at:%Y-%m-%d}>"


def _header(text: str) -> Block:
    return {"type": "header", "text": plain(text)}
