"""The evaluation of a candidate, part by part, each stored when it is done; and what the gate makes of it."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

from core.adapters import Adapters
from core.database import Database
from core.errors import ModelServerError, NightbakeError
from core.model_server import ModelServer
from learning import evaluate
from learning.answers import (
    Deadline,
    Models,
    ask_probes,
    count_drift,
    find_disliked,
    find_slices,
    keep_unforgotten,
    write_again,
)
from learning.gate import Evidence, Outcome, Tally
from learning.judges import Asked, Judge, ModelJudge, Panel, RuleJudge
from learning.night import NightSettings
from learning.probes import load_probes
from learning.runs import Run, RunPair, Runs
from learning.trainer import Progress, read_evaluation, read_manifest

log = logging.getLogger(__name__)

AskGolden = Callable[[str | None, int], Awaitable[tuple[int, int]]]
"""Asks an adapter (None: the base model) so many golden questions at most; how many were right, of how many."""

TRAINING_FACTS = (
    "sha256",
    "dtype",
    "pairs",
    "started_from",
    "steps",
    "planned_steps",
    "stopped_early",
    "tokens",
    "curve",
    "seconds",
    "versions",
    "commit",
    "device",
    "device_seconds",
    "energy",
    "cost",
)


class Examination:
    """Examines one candidate; a part that a crashed night had stored is not made again.

    The parts: `preference` (base, live and candidate on held-out pairs, from the training process), then through the
    server `probes`, `golden`, `answers` (held-out prompts) and `disliked` (last week's), as long as there is time.
    """

    def __init__(
        self,
        *,
        database: Database,
        model_server: ModelServer,
        settings: NightSettings,
        progress: Progress,
        ask_golden: AskGolden | None = None,
    ) -> None:
        self._database = database
        self._runs = Runs(database)
        self._model_server = model_server
        self._settings = settings
        self._progress = progress
        self._ask_golden = ask_golden

    async def examine(self, run: Run, pairs: Sequence[RunPair], folder: Path) -> Run:
        """Every part that is missing; where the server cannot be asked or does not serve the candidate, its stay away.

        Args:
            folder: of the candidate.
        """
        deadline = Deadline(self._settings.evaluate_seconds)
        if "preference" not in (run.evaluation or {}):
            run = await self._store(run, **await asyncio.to_thread(_read_training, folder))
            slices = await find_slices(self._database, run.id)
            run = await self._store(run, slices=slices)
        if not run.proof or not run.proof["passed"]:
            return run
        active = await Adapters(self._database).find_active(run.audience)
        models = Models(run.adapter or "", active.name if active else None)
        try:
            return await self._ask_server(run, pairs, models, deadline)
        except ModelServerError as error:
            log.warning("the candidate was not examined to the end", extra={"error": str(error)})
            return await self._runs.get(run.id)

    async def _ask_server(self, run: Run, pairs: Sequence[RunPair], models: Models, deadline: Deadline) -> Run:
        done = run.evaluation or {}
        if "probes" not in done:
            run = await self._store(
                run, probes=await ask_probes(self._model_server, load_probes(), models, deadline=deadline)
            )
        if "golden" not in done and self._ask_golden and not deadline.has_passed():
            run = await self._store(run, golden=await self._count_golden(self._ask_golden, models))
        if "answers" not in done:
            held_out = [(pair.sha256, to_asked(pair)) for pair in pairs if pair.state == "held_out"]
            run = await self._store(
                run, answers=await self._write_again(held_out[: self._settings.answers], models, deadline)
            )
        if "disliked" not in done:
            limit = self._settings.disliked
            found = await find_disliked(self._database, run_id=run.id, until=run.window_to, limit=limit)
            asked = [(str(one.id), Asked(one.messages, one.question, one.language)) for one in found]
            written = await self._write_again(asked, models, deadline)
            run = await self._store(run, disliked=await keep_unforgotten(self._database, written))
        return run

    async def _write_again(
        self, asked: Sequence[tuple[str, Asked]], models: Models, deadline: Deadline
    ) -> dict[str, Any]:
        return await write_again(
            self._model_server,
            asked,
            models,
            build_judge(self._settings.judge, self._model_server),
            max_tokens=self._settings.answer_tokens,
            deadline=deadline,
            progress=self._progress,
        )

    async def _count_golden(self, ask: AskGolden, models: Models) -> dict[str, int] | None:
        """None where there are none, or where they cannot be asked: then the gate does without."""
        try:
            live, count = await ask(models.live, self._settings.golden)
            candidate, _ = await ask(models.candidate, self._settings.golden)
        except ModelServerError:
            raise
        except NightbakeError as error:
            log.warning("the candidate was asked no golden questions", extra={"error": str(error)})
            return None
        return {"live": live, "candidate": candidate, "count": count} if count else None

    async def _store(self, run: Run, **parts: Any) -> Run:
        return await self._runs.update(run.id, evaluation={**(run.evaluation or {}), **parts})


def build_judge(kind: str, model_server: ModelServer) -> Judge:
    """Rules alone, or rules and where they see no difference the base model."""
    judges: list[Judge] = [RuleJudge()]
    return Panel([*judges, ModelJudge(model_server)] if kind == "model" else judges)


def to_asked(pair: RunPair) -> Asked:
    """A held-out pair as a question to answer again; the preferred answer is the chosen one."""
    return Asked(pair.prompt, pair.question, "ko" if pair.language == "ko" else "en", pair.chosen)


def read_evidence(run: Run) -> Evidence:
    """What the gate needs of a night's numbers."""
    evaluation = run.evaluation or {}
    preference, slices = evaluation.get("preference") or {}, evaluation.get("slices") or {}
    examples = [
        example for part in ("answers", "disliked") for example in (evaluation.get(part) or {}).get("examples", [])
    ]
    asked = (evaluation.get("probes") or {}).get("tallies", [])
    tallies = [Tally(one["name"], one["candidate"], one["live"], one["count"]) for one in asked]
    golden = evaluation.get("golden")
    return Evidence(
        outcomes=tuple(
            Outcome(one["won"], (f"language:{one['language']}", *slices.get(one["sha256"], ())))
            for one in preference.get("outcomes", [])
        ),
        answers=tuple(Outcome(example["won"]) for example in examples),
        grounded=tuple(example["candidate"]["grounded"] - example["live"]["grounded"] for example in examples),
        tallies=(*tallies, *count_drift(examples), *([Tally("golden", **golden)] if golden else [])),
        proven=(run.proof or {}).get("passed"),
    )


def _read_training(folder: Path) -> dict[str, Any]:
    scored = read_evaluation(folder)["pairs"]
    manifest = read_manifest(folder) or {}
    return {
        "preference": evaluate.measure(scored) if scored else None,
        "training": {key: manifest.get(key) for key in TRAINING_FACTS},
    }
