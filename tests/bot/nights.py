"""Finished nights for tests of what admins see and decide."""

from psycopg.types.json import Jsonb

from bot.admin_messages import Trial
from core.adapters import Adapters
from core.database import Database

MARKDOWN = {
    "en": "# Night of 2026-11-20\n\n**A better adapter awaits your approval.**\n\n- Votes: 12\n\n## Gate\n\n"
    "| check | value |\n|---|---|\n| wins | 9 |\n",
    "ko": "# 야간 학습 보고서 2026-11-20\n\n**더 나은 어댑터가 승인을 기다립니다.**\n\n- 피드백: 12\n",
}

TRIALS = {
    "passed": Trial("night-2", True, trial_liked=9, trial_votes=11, other_liked=61, other_votes=80),
    "harmful": Trial("night-2", False, trial_liked=2, trial_votes=12, other_liked=70, other_votes=82),
}


async def end_trial(database: Database, run_id: int, trial: Trial) -> None:
    """The trial of a night's adapter is over, and its report says so."""
    outcome = "trial_passed" if trial.passed else "trial_harmful"
    counts = {name: getattr(trial, name) for name in ("trial_liked", "trial_votes", "other_liked", "other_votes")}
    facts = Jsonb({"adapter": trial.adapter, "outcome": outcome, **counts})
    await database.execute(
        b"INSERT INTO switches (switched_by, reason, facts) VALUES ('nightbake', %(reason)s, %(facts)s)",
        {"reason": outcome, "facts": facts},
    )
    await database.execute(b"UPDATE runs SET trial = %(facts)s WHERE id = %(id)s", {"id": run_id, "facts": facts})


async def finish_night(
    database: Database, adapter: str | None = "night-1", *, served: bool = False, rejected: bool = False
) -> int:
    """A night whose report is written; its run's id."""
    adapters = Adapters(database)
    if adapter:
        await adapters.register(name=adapter, folder=f"/a/{adapter}", base_model="base", sha256="00", manifest={})
    if adapter and served:
        await adapters.switch(adapter, by="nightbake", reason="better")
    if adapter and rejected:
        await adapters.reject(adapter, "worse")
    (run,) = await database.fetch_dicts(
        b"INSERT INTO runs (night, requested_by, window_from, window_to, stage, state, adapter, finished_at)"
        b" VALUES ('2026-11-20', 'user:ann', now() - interval '1 day', now(), 'report', 'done', %(adapter)s,"
        b" clock_timestamp()) RETURNING id",
        {"adapter": adapter},
    )
    for language, markdown in MARKDOWN.items():
        await database.execute(
            b"INSERT INTO reports (run_id, language, markdown, html) VALUES (%(id)s, %(language)s, %(markdown)s, '')",
            {"id": run["id"], "language": language, "markdown": markdown},
        )
    return run["id"]
