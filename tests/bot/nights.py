"""Finished nights for tests of what admins see and decide."""

from core.adapters import Adapters
from core.database import Database

MARKDOWN = {
    "en": "# Night of 2026-11-20\n\n**A better adapter awaits your approval.**\n\n- Votes: 12\n\n## Gate\n\n"
    "| check | value |\n|---|---|\n| wins | 9 |\n",
    "ko": "# 야간 학습 보고서 2026-11-20\n\n**더 나은 어댑터가 승인을 기다립니다.**\n\n- 피드백: 12\n",
}


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
