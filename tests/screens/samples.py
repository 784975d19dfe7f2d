"""Screens for the documentation, made by the renderers that the service sends them with, of the sample company."""

from datetime import UTC, date, datetime
from typing import Any

from bot.better import Better
from bot.desk import Night
from bot.home import Home, Judged, Recent
from bot.reply import FinishedAnswer, Source
from bot.room_settings import RoomSettings
from bot.slack import render as slack
from bot.slack.render_admin import render_report
from bot.slack.render_form import render_form as render_slack_form
from bot.slack.render_home import render_home
from bot.slack.render_settings import render_settings
from bot.teams import render as teams
from bot.teams.cards import make_attachment
from bot.teams.news import render_news
from bot.teams.render_admin import render_report as render_teams_report
from bot.teams.render_feedback import render_form as render_teams_form
from bot.teams.render_own import render_own
from bot.teams.whispers import render_whisper
from core.prompt import Language
from core.records import Feedback
from learning.report_facts import Gathered, build_facts
from learning.report_pages import render_markdown
from learning.runs import Run
from tests.bot.assistant import BASE_URL

MONDAY, TUESDAY = datetime(2026, 11, 16, 9, tzinfo=UTC), datetime(2026, 11, 17, 9, tzinfo=UTC)
TEXTS: dict[Language, dict[str, str]] = {
    "en": {
        "question": "How many days of annual leave do I have?",
        "other": "Who approves travel expenses?",
        "answer": "You have **23 days** of annual leave. [1] From the third year on it is one day more for every two "
        "years. [1] Days that are left may be taken until the end of March. [2]",
        "short": "You have 23 days. [1]",
        "correction": "Since May it is 24 days.",
        "title": "Leave policy",
        "first": "Annual leave",
        "second": "Days that are left",
    },
    "ko": {
        "question": "연차는 며칠인가요?",
        "other": "출장비는 누가 승인하나요?",
        "answer": "연차는 **23일**입니다. [1] 3년 차부터는 2년마다 하루씩 늘어납니다. [1] "
        "남은 연차는 다음 해 3월 말까지 쓸 수 있습니다. [2]",
        "short": "연차는 23일입니다. [1]",
        "correction": "5월부터 24일입니다.",
        "title": "휴가 규정",
        "first": "연차",
        "second": "남은 연차",
    },
}
NIGHT = Run(
    id=7, night=date(2026, 11, 20), requested_by="schedule", window_from=MONDAY, window_to=MONDAY, stage="report",
    state="done", attempts=1, tickets=[], proof=None, gate=None, seconds={"train": 1263.0},
    counts={"votes": 148, "voters": 31, "pairs": 96, "trained": 76, "held_out": 20, "awaiting_review": 3},
    evaluation=None, adapter="night-20261120-7f3a", reason="awaits_approval", error=None, started_at=MONDAY,
    finished_at=MONDAY,
)  # fmt: skip


def make_samples(language: Language) -> dict[str, Any]:
    """Each screen by the name of its picture; `slack-` or `teams-` says whose it is."""
    texts = TEXTS[language]
    sources = [
        Source(1, texts["title"], texts["first"], 3, f"{BASE_URL}/passages/7", texts["short"]),
        Source(2, texts["title"], texts["second"], 4, f"{BASE_URL}/passages/8", texts["short"]),
    ]
    passages = [
        {"number": source.number, "chunk_id": source.number, "title": source.title, "heading_path": source.heading_path}
        for source in sources
    ]
    answer = FinishedAnswer(12, language, texts["answer"], "generated", sources=sources, can_ask_human=True)
    standing = Feedback(12, "p", -1, "slack_form", texts["correction"], "wrong", right_chunk_id=1)
    judged = [
        Judged(3, texts["question"], MONDAY, "served", TUESDAY, texts["short"], TUESDAY),
        Judged(2, texts["other"], TUESDAY, "waiting", None, None, None),
    ]
    home = Home([Recent(3, texts["question"], TUESDAY), Recent(2, texts["other"], MONDAY)], judged, True)
    settings = RoomSettings("questions", ["handbook"], None, allows_training=True)
    facts = build_facts(NIGHT, Gathered(has_golden=True), state="done", reason=NIGHT.reason, error=None)
    report = render_markdown(facts, language)
    night = Night(7, NIGHT.adapter, "candidate", None, [])
    return {
        "slack-answer": slack.render_answer(answer, BASE_URL)[0],
        "slack-form": render_slack_form(12, language, passages, standing),
        "slack-home": render_home(home, language),
        "slack-report": render_report(night, report, language, base_url=BASE_URL),
        "slack-settings": render_settings("T0HOME", "C0HR", settings, ["handbook", "wiki"], language),
        "teams-answer": teams.render_answer(answer, BASE_URL),
        "teams-form": {
            "attachments": [make_attachment(render_teams_form(12, language, passages, standing, in_dialog=False))]
        },
        "teams-more": render_whisper(answer, texts["question"], BASE_URL),
        "teams-news": render_news([Better(1, 3, "p", texts["question"], language, MONDAY, {})]),
        "teams-own": render_own(home, language),
        "teams-report": render_teams_report(night, report, language, base_url=BASE_URL),
    }
