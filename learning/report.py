"""The morning report: every night's, whatever became of it; what it says is gathered here and in `report_facts.py`."""

from dataclasses import replace

from core.adapters import Adapters
from core.database import Database
from core.exams import Exams
from core.gaps import Gaps
from learning.advice.experiments import Experiments
from learning.advice.rounds import Rounds
from learning.break_even import Figures
from learning.economy import find_economy
from learning.lessons import Lessons, find_lessons
from learning.permission import EVERYONE
from learning.remembered import count_memory
from learning.report_facts import Gathered, build_facts
from learning.report_pages import LANGUAGES, render_html, render_markdown
from learning.runs import Run, Runs, State

# Topics that are counted; fewer are shown.
MOST_TOPICS = 10_000


async def write_reports(
    database: Database,
    run: Run,
    *,
    state: State,
    reason: str | None,
    error: str | None,
    figures: Figures | None = None,
    min_pairs: int = 0,
) -> None:
    """Render a night in every language and store it; gaps and golden questions are told in one report.

    Args:
        figures: what answers cost and save; the defaults where nobody said.
        min_pairs: fewer are a report, not a training.
    """
    gathered = await _gather(database, run, figures or Figures())
    if run.audience != EVERYONE:
        run, gathered = leave_out_words(run), replace(gathered, lessons=Lessons())
    facts = build_facts(run, gathered, state=state, reason=reason, error=error, min_pairs=min_pairs)
    for language in LANGUAGES:
        markdown, html = render_markdown(facts, language), render_html(facts, language)
        await Runs(database).store_report(run.id, language, markdown=markdown, html=html)


def leave_out_words(run: Run) -> Run:
    """A night of an audience in numbers: its questions and answers are not for everyone who reads reports."""
    evaluation = dict(run.evaluation or {})
    for part in ("answers", "disliked"):
        if evaluation.get(part):
            evaluation[part] = {**evaluation[part], "examples": []}
    return replace(run, tickets=[], evaluation=evaluation or None)


async def _gather(database: Database, run: Run, figures: Figures) -> Gathered:
    runs, exams = Runs(database), Exams(database)
    reported_until = await runs.get_reported_until(run)
    rounds = await exams.find_latest(limit=2)
    last_report_at = await runs.find_last_report_at(run)
    is_new = bool(rounds) and (last_report_at is None or rounds[0].asked_at >= last_report_at)
    examined = await exams.find_runs(limit=1)
    is_run_new = bool(examined) and (last_report_at is None or examined[0].ran_at >= last_report_at)
    advised = await Rounds(database).find_latest()
    is_advice_new = advised and advised.ended_at and (last_report_at is None or advised.ended_at >= last_report_at)
    active = await Adapters(database).find_active()
    await Experiments(database).measure(adapter=active.name if active else None)
    return Gathered(
        lessons=await find_lessons(database, run.id),
        economy=await find_economy(database, figures, until=run.window_to),
        days=await runs.count_votes_by_day(run.window_to),
        topics=await Gaps(database).find_topics_between(reported_until, run.window_to, limit=MOST_TOPICS),
        exams=rounds if is_new else [],
        has_golden=bool(rounds),
        exam_run=examined[0] if is_run_new else None,
        memory=await count_memory(database, since=reported_until, until=run.window_to, adapter=run.adapter),
        advice=advised if is_advice_new else None,
        experiments=await Experiments(database).find_told(since=last_report_at or reported_until),
    )
