"""What people are told of us: a card with commands, and questions to begin with. Pure."""

from collections.abc import Sequence

from bot.teams.cards import make_attachment, make_card, make_saying, make_text
from bot.teams.connector import Message
from core.prompt import Language

# Of a card's buttons, and the characters of each.
MOST_PROMPTS, PROMPT_CHARACTERS = 5, 100

_PHRASES: dict[Language, dict[str, str]] = {
    "en": {
        "welcome": "Hello, I am Nightbake.",
        "help": "What I can do",
        "about": "Ask me in your own words. I answer from our documents and show where it stands. "
        "In a group or channel, mention me; in a thread I have answered you need not.",
        "commands": "Commands: “help”, “again” for another answer, “stop” while I am answering, "
        "“status”, and “me” for what I know of you, your consent and to be forgotten.",
        "feedback": "Please judge my answers. What you say makes the next ones better; only admins see your votes.",
        "try": "For example:",
    },
    "ko": {
        "welcome": "안녕하세요, Nightbake입니다.",
        "help": "제가 할 수 있는 일",
        "about": "편하게 질문해 주세요. 사내 문서를 찾아 출처와 함께 답합니다. "
        "그룹이나 채널에서는 저를 멘션해 주세요. 제가 답한 스레드에서는 멘션하지 않아도 됩니다.",
        "commands": "명령어: ‘도움말’, 다른 답변은 ‘다시’, 답변 도중에는 ‘중지’, 현재 상태는 ‘상태’, "
        "내 기록과 학습 동의, 기록 지우기는 ‘내 정보’.",
        "feedback": "답변을 평가해 주세요. 평가를 바탕으로 다음 답변이 나아집니다. 평가는 관리자만 볼 수 있습니다.",
        "try": "예를 들면:",
    },
}


def render_help(language: Language, prompts: Sequence[str], *, is_welcome: bool) -> Message:
    """The card.

    Args:
        prompts: questions to begin with; empty where Teams would not send them as the person's own words.
    """
    phrases = _PHRASES[language]
    body = [
        make_text(phrases["welcome" if is_welcome else "help"], weight="Bolder", size="Medium"),
        *(make_text(phrases[name]) for name in ("about", "commands", "feedback")),
    ]
    shown = [prompt for prompt in prompts if len(prompt) <= PROMPT_CHARACTERS][:MOST_PROMPTS]
    if shown:
        body.append(make_text(phrases["try"]))
    card = make_card(body, [make_saying(prompt, prompt) for prompt in shown])
    message: Message = {"attachments": [make_attachment(card)]}
    return {**message, "prompts": shown} if shown and is_welcome else message
