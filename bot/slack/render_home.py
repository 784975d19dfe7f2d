"""The app's Home, and what is said of consent and of being forgotten. Pure."""

from datetime import datetime
from string import Formatter

from bot.home import Home, Judged, Recent
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
        "recent": "Your latest questions",
        "recent_none": "You have asked nothing yet.",
        "judged": "What your votes changed",
        "judged_none": "No 👎 of yours in the last two weeks.",
        "vote": "Your 👎 of {day}: {question}",
        "served": "An adapter that learnt from it answers since {day}.",
        "trained": "A night learnt from it, but that adapter was not put to work.",
        "examined": "It is kept to examine new adapters with; none learns from it.",
        "unused": "A night could not learn from it.",
        "refused": "Nothing learns from it, as you or the channel wish.",
        "waiting": "No night has looked at it yet.",
        "now": "Asked again on {day}, I answered: {answer}",
        "ask_now": "Ask it now",
        "consent": "Learning",
        "consent_yes": "Nights may learn from your questions and votes.",
        "consent_no": "Nothing is learnt from your questions and votes.",
        "refuse": "Do not learn from me",
        "agree": "You may learn from me",
        "forget": "Forget me",
        "forget_text": "Erases your questions, their answers and your votes from my memory, for good.",
        "forget_sure": "All your questions, their answers and your votes are erased for good. Messages in Slack stay. "
        "Models that were trained on them stop answering at once.",
        "forget_yes": "Erase everything",
        "forget_no": "Cancel",
        "erased": "Done: {questions} questions with their answers and {votes} votes are erased.",
        "erased_adapters": "Adapters that had learnt from them do not answer any more: {adapters}. "
        "The next night learns without them.",
        "asked": "You asked this before: {question}",
    },
    "ko": {
        "title": "회사 문서에 대해 물어보세요",
        "can": "• *메시지* 탭에서 묻거나 채널에서 멘션해 주세요. 제가 답한 스레드에서는 바로 이어서 물으시면 됩니다.\n"
        "• `/nightbake ask`는 본인에게만 답하고 `/nightbake search`는 문서 목록을 보여 드립니다.\n"
        "• 메시지 메뉴에서 *Answer this* 항목을 누르면 그 스레드에 답합니다.\n"
        "• 채널에서는 모두가 열람할 수 있는 내용만 사용합니다. 평가는 밤새 학습에 쓰이며 관리자만 볼 수 있습니다.",
        "recent": "최근 질문",
        "recent_none": "아직 질문이 없습니다.",
        "judged": "내 평가로 달라진 점",
        "judged_none": "최근 2주 동안 남기신 👎가 없습니다.",
        "vote": "{day}의 👎: {question}",
        "served": "이 평가로 학습한 어댑터가 {day}부터 답하고 있습니다.",
        "trained": "이 평가로 학습했지만 그 어댑터는 사용되지 않았습니다.",
        "examined": "새 어댑터를 시험하는 데 쓰이며 학습에는 쓰이지 않습니다.",
        "unused": "이 평가는 학습에 쓸 수 없었습니다.",
        "refused": "본인 또는 채널의 뜻에 따라 학습에 쓰지 않습니다.",
        "waiting": "아직 학습 전입니다.",
        "now": "{day}에 다시 물으셨을 때의 답변: {answer}",
        "ask_now": "지금 다시 묻기",
        "consent": "학습",
        "consent_yes": "질문과 평가가 학습에 쓰일 수 있습니다.",
        "consent_no": "질문과 평가를 학습에 쓰지 않습니다.",
        "refuse": "학습에 쓰지 않기",
        "agree": "학습에 쓰기",
        "forget": "내 기록 지우기",
        "forget_text": "질문과 답변, 평가를 제 기록에서 영구히 지웁니다.",
        "forget_sure": "질문과 답변, 평가가 모두 영구히 지워집니다. Slack의 메시지는 남습니다. "
        "이 내용으로 학습한 모델은 바로 사용을 멈춥니다.",
        "forget_yes": "모두 지우기",
        "forget_no": "취소",
        "erased": "질문과 답변 {questions}건, 평가 {votes}건을 지웠습니다.",
        "erased_adapters": "이 내용으로 학습한 어댑터는 더 이상 쓰지 않습니다: {adapters}. "
        "다음 야간 학습은 이 내용 없이 진행합니다.",
        "asked": "전에 하신 질문입니다: {question}",
    },
}


def say_home(phrase: str, language: Language, **values: object) -> str:
    """One phrase; what is put in must be escaped."""
    return _PHRASES[language][phrase].format(**values)


def render_home(home: Home, language: Language) -> Block:
    """The view that a person finds in the Home tab."""
    phrases = _PHRASES[language]
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
    again = button(ASK_NOW, _PHRASES[language]["ask_now"], str(one.id))
    blocks = [_fill("vote", language, day=_date(one.given_at), question=question), section(effect)]
    blocks[1]["accessory"] = again
    if one.answer_now and one.answered_at:
        blocks.append(_fill("now", language, day=_date(one.answered_at), answer=_words(_cut(one.answer_now))))
    return blocks


def _fill(phrase: str, language: Language, **parts: Block) -> Block:
    """One phrase as text without markup, so that a person's stars stay stars."""
    found: list[Block] = []
    for literal, name, _, _ in Formatter().parse(_PHRASES[language][phrase]):
        found += [_words(literal)] if literal else []
        found += [parts[name]] if name else []
    return rich_text(*found)


def _words(text: str) -> Block:
    return {"type": "text", "text": text}


def _render_consent(home: Home, language: Language) -> Block:
    phrases = _PHRASES[language]
    text, label, value = ("consent_yes", "refuse", "no") if home.allows_training else ("consent_no", "agree", "yes")
    return section(phrases[text]) | {"accessory": button(CONSENT, phrases[label], value)}


def _render_forget(language: Language) -> Block:
    phrases = _PHRASES[language]
    asked = {"title": "forget", "text": "forget_sure", "confirm": "forget_yes", "deny": "forget_no"}
    confirm: Block = {part: plain(phrases[name]) for part, name in asked.items()} | {"style": "danger"}
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
