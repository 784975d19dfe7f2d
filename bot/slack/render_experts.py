"""What experts see of a question, what they are asked, and what the person is told. Pure."""

from bot.slack.blocks import Block, actions, button, context, escape, section
from bot.slack.render import render_partial
from core.prompt import Language

USE_REPLY = "use_reply"
# Characters of a question or an answer, so that both fit one message; the link leads to the whole.
SHOWN_CHARACTERS = 5_500

_PHRASES: dict[Language, dict[str, str]] = {
    "en": {
        "asks": "{person} asks a human:",
        "answered": "I had answered:",
        "withheld": "My answer is from documents that not everybody may read, so it is not shown here.",
        "open": "Open the answer",
        "how": "Reply in this thread. Your reply is passed on only if you agree.",
        "posted": "I passed your question on to colleagues. You will hear here what they say.",
        "offer": "May I use your reply as the corrected answer? {person} will see it with your name, "
        "and the next answers learn from it.",
        "use": "Use as the corrected answer",
        "tell": "{person} {expert} answered your question:",
    },
    "ko": {
        "asks": "{person} 님이 담당자에게 묻습니다:",
        "answered": "제가 드린 답변:",
        "withheld": "일부만 열람할 수 있는 문서에서 나온 답변이므로 여기에는 표시하지 않습니다.",
        "open": "답변 열기",
        "how": "이 스레드에 답해 주세요. 동의하신 경우에만 전달됩니다.",
        "posted": "담당자에게 질문을 전달했습니다. 답변이 오면 이곳에서 알려 드리겠습니다.",
        "offer": "이 답을 올바른 답변으로 사용해도 될까요? {person} 님에게 이름과 함께 전달되고 학습에 쓰입니다.",
        "use": "올바른 답변으로 사용",
        "tell": "{person} 님, {expert} 님이 질문에 답했습니다:",
    },
}


def say_expert(phrase: str, language: Language, **people: str) -> str:
    """One phrase; `people` are Slack's ids of users."""
    return _PHRASES[language][phrase].format(**{role: f"<@{user}>" for role, user in people.items()})


def render_request(
    *, language: Language, asker: str, question: str, answer: str | None, link: str | None
) -> list[Block]:
    """The question for experts.

    Args:
        answer: None where not everybody may read what it is from.
        link: to the answer; None where nobody else can open it.
    """
    shown = (
        [section(say_expert("answered", language)), *render_partial(answer, limit=SHOWN_CHARACTERS)] if answer else []
    )
    withheld = [] if answer else [context(say_expert("withheld", language))]
    opened = [context(f"<{link}|{say_expert('open', language)}>")] if link else []
    return [
        section(say_expert("asks", language, person=asker)),
        *render_partial(question, limit=SHOWN_CHARACTERS),
        *shown,
        *withheld,
        *opened,
        context(say_expert("how", language)),
    ]


def render_offer(reply_id: int, language: Language, asker: str) -> list[Block]:
    """What the expert alone is asked."""
    agree = button(USE_REPLY, _PHRASES[language]["use"], str(reply_id)) | {"style": "primary"}
    return [section(say_expert("offer", language, person=asker)), actions(agree)]


def render_told(language: Language, *, asker: str, expert: str, reply: str) -> list[Block]:
    """What the person is told."""
    return [section(say_expert("tell", language, person=asker, expert=expert)), *render_partial(reply)]


def render_request_fallback(language: Language, asker: str, question: str) -> str:
    """For notifications."""
    return f"{say_expert('asks', language, person=asker)} {escape(question)}"[:3_000]
