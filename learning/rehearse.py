"""Pairs without a night: everything that a night does before it trains, kept apart from the nights."""

from datetime import UTC, datetime, timedelta

from core.adapters import Adapters
from core.database import Database
from core.model_server import ModelServer
from learning.collect import CollectSettings, Progress, collect
from learning.exercise_night import find_preferred
from learning.night import NightSettings
from learning.permission import EVERYONE
from learning.regenerate import Sampler
from learning.runs import Run, Runs


async def rehearse(
    *,
    database: Database,
    model_server: ModelServer | None,
    settings: NightSettings,
    requested_by: str,
    progress: Progress | None = None,
) -> Run:
    """Collect the pairs of the window up to now, in place of the last rehearsal; trains and serves nothing.

    Args:
        model_server: where answers are sampled; None samples none.

    Raises:
        NightRunningError: a night is at work on the same tables.
        ReconciliationError: votes in and votes accounted for differ.
    """
    runs, now = Runs(database), datetime.now(UTC)
    sampler = await build_sampler(settings, model_server, Adapters(database)) if model_server else None
    async with runs.lock():
        window_from = now - timedelta(days=settings.window_days)
        run = await runs.rehearse(night=now.date(), requested_by=requested_by, window_from=window_from, window_to=now)
        chosen = build_collect_settings(settings)
        lessons = await find_preferred(database, settings.exercises, EVERYONE)
        collected = await collect(database, runs, run, chosen, sampler=sampler, lessons=lessons, progress=progress)
        await runs.update(run.id, counts=collected.counts, tickets=collected.tickets)
        await runs.forget_rehearsals(before=run.id)
        return await runs.finish(run.id, "done", reason="pairs_only")


def build_collect_settings(settings: NightSettings, audience: str = EVERYONE) -> CollectSettings:
    """What a collection for an audience is told of a night's settings."""
    return CollectSettings(
        max_pairs=settings.max_pairs,
        seed=settings.seed,
        rater_weights=settings.rater_weights,
        review_share=settings.review_share,
        audience=audience,
        context_tokens=settings.context_tokens,
        exercise_pairs=settings.exercises.pairs,
    )


async def build_sampler(
    settings: NightSettings, model_server: ModelServer, adapters: Adapters, audience: str = EVERYONE
) -> Sampler:
    """Samples answers of what an audience is served now."""
    active = await adapters.find_active(audience)
    return Sampler(
        model_server,
        active.name if active else None,
        answers=settings.regenerate,
        max_tokens=settings.answer_tokens,
    )
