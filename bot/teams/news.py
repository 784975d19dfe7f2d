"""Tells people in their own chat that a question of theirs has a better answer now, and offers to ask it."""

import logging
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from bot.better import Better, BetterAnswers, is_working_time
from bot.own_wording import say_own
from bot.teams.cards import Card, make_attachment, make_card, make_execute, make_text
from bot.teams.connector import Message, TeamsConnector, TeamsError
from bot.teams.render_own import ASK_NOW, SHOWN_CHARACTERS
from bot.teams.reply import find_place
from core.background import BackgroundWork
from core.prompt import Language

log = logging.getLogger(__name__)

LOOK_SECONDS = 300.0

_PHRASES: dict[Language, dict[str, str]] = {
    "en": {
        "lead": "You did not like these answers. I learnt from it last night, and better ones may be waiting:",
        "question": "“{question}”, {day}",
    },
    "ko": {
        "lead": "아쉽다고 하신 답변입니다. 평가로 학습했으니 이제 더 나은 답변을 드릴 수 있습니다.",
        "question": "‘{question}’, {day}",
    },
}


class News(BackgroundWork):
    """Looks for it again and again.

    Args:
        zone: whose working hours count.
    """

    def __init__(
        self,
        *,
        connector: TeamsConnector,
        answers: BetterAnswers,
        zone: ZoneInfo,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        super().__init__("news of better answers", pause_seconds=LOOK_SECONDS)
        self._connector = connector
        self._answers = answers
        self._zone = zone
        self._clock = clock

    async def turn(self) -> bool:
        """Tell what is due, and come again; who cannot be written to is not tried again."""
        if not is_working_time(self._clock(), self._zone):
            return False
        for news in (await self._answers.find_due()).values():
            mine = await self._answers.claim(news)
            if mine:
                await self._tell(mine)
        return False

    async def _tell(self, news: Sequence[Better]) -> None:
        payload = news[-1].payload
        try:
            place = await find_place(self._connector, {**payload, "aside": not payload.get("direct")})
            await self._connector.send({**place, "activityId": None}, render_news(news))
        except TeamsError as error:
            log.warning("nobody could be told of a better answer", extra={"error": str(error)})
            if not error.is_refusal:
                return
        await self._answers.set_told(news)


def render_news(news: Sequence[Better]) -> Message:
    """A card with a button a question; its language is that of the newest."""
    language: Language = "ko" if news[-1].language == "ko" else "en"
    body = [make_text(_PHRASES[language]["lead"])]
    body += [element for one in news for element in _render_question(one, language)]
    return {"attachments": [make_attachment(make_card(body))]}


def _render_question(one: Better, language: Language) -> list[Card]:
    question = " ".join(one.question.split())[:SHOWN_CHARACTERS]
    text = _PHRASES[language]["question"].format(question=question, day=f"{one.given_at:%Y-%m-%d}")
    ask = make_execute(ASK_NOW, say_own("ask_now", language), {"interaction_id": one.interaction_id})
    return [make_text(text, weight="Bolder"), {"type": "ActionSet", "actions": [ask]}]
