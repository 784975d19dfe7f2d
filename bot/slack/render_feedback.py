"""What stands under an answer for people to judge it by. Pure."""

from typing import Any

from bot.reply import FinishedAnswer
from core.prompt import Language

Block = dict[str, Any]

_PHRASES: dict[Language, str] = {
    "en": "React with :+1: or :-1: so that I learn.",
    "ko": ":+1: 또는 :-1: 반응을 남겨 주시면 배웁니다.",
}


def render_feedback(answer: FinishedAnswer) -> list[Block]:
    """A grey line that asks for a thumb."""
    line = {"type": "mrkdwn", "text": _PHRASES[answer.language], "verbatim": True}
    return [{"type": "context", "elements": [line]}]
