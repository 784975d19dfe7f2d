"""The life of a bake: questions, room, child process, served proof, probes, gate; and, if asked for, the switch.

Everyone's adapter only. What it is made from are exercises, so nothing that people asked goes into it beside what the
adapter in service knows already.
"""

import asyncio
import logging
import os
import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from core.adapters import Adapter, Adapters
from core.database import Database
from core.errors import InvalidInputError, ModelServerError
from core.model_server import ModelServer
from core.serving import Serving
from learning.answers import Deadline, Models, ask_probes
from learning.bake_gate import decide_bake
from learning.exercises.learnable import Lesson, split_lessons
from learning.gate import Tally
from learning.job import BakeJob
from learning.night import NightSettings
from learning.probes import load_probes
from learning.room import Room
from learning.runs import Runs
from learning.serve import WrongWeightsError, check_weights, prove_served
from learning.trainer import Progress, read_evaluation, read_manifest, run_child, write_rows

log = logging.getLogger(__name__)

PREFIX = "bake"
HELD_OUT_SHARE = 0.25
FEWEST_QUESTIONS, FEWEST_HELD_OUT, MOST_QUESTIONS, MOST_HELD_OUT = 20, 10, 400, 80


@dataclass(frozen=True, slots=True)
class BakeResult:
    """What a bake brought.

    Attributes:
        made_from: the adapter that it was baked on top of; None is the base model.
        baked: how near it is to the prompted model and what it saves, of the manifest.
        checks: every number of the gate beside its limit.
    """

    adapter: str
    verdict: str
    reason: str
    promoted: bool
    made_from: str | None
    questions: int
    held_out: int
    baked: dict[str, Any]
    checks: list[dict[str, Any]]
    seconds: dict[str, float]


class Baking:
    """Bakes one adapter a call, under the lock of nights."""

    def __init__(
        self,
        *,
        database: Database,
        model_server: ModelServer,
        home: Path,
        settings: NightSettings,
        progress: Progress,
    ) -> None:
        self._runs = Runs(database)
        self._adapters = Adapters(database)
        self._model_server = model_server
        self._home = home
        self._settings = settings
        self._progress = progress
        self._serving = Serving(adapters=self._adapters, model_server=model_server)
        self._room = Room(database, self._serving, model_server, settings.room)

    async def bake(self, lessons: Sequence[Lesson], *, by: str, promote: bool = False) -> BakeResult:
        """Bake today's standing prompt on top of what is served; the result is a candidate, or refused.

        Args:
            promote: serve it where the gate lets it.

        Raises:
            InvalidInputError: too few questions.
            NightRunningError: a night is at work.
            NoRoomError, NoTimeError: it does not run now.
            ProcessError: the training failed.
        """
        train, held_out = choose_questions(lessons, seed=self._settings.seed)
        async with self._runs.lock():
            await self._room.give_back()
            start = await self._find_start()
            name = await self._train(train, held_out, start)
            return await self._judge(name, by=by, promote=promote)

    async def _find_start(self) -> Adapter | None:
        """What is served, without an earlier prompt in it: of a baked one, what that was made from."""
        found = await self._adapters.find_active()
        while found and "baked_prompt" in found.manifest:
            earlier = found.manifest["made_from"]
            found = await self._adapters.get(earlier) if earlier else None
        is_there = found and found.base_model == self._settings.base_model and read_manifest(Path(found.folder))
        return found if is_there else None

    async def _train(self, train: Sequence[Lesson], held_out: Sequence[Lesson], start: Adapter | None) -> str:
        """The name of the adapter, registered; the job's folder goes whatever happens."""
        settings = self._settings
        plan = await self._room.plan(settings.base_model, most_seconds=settings.max_train_seconds, bits=settings.bits)
        await self._progress({"event": "planned", "way": plan.way, "max_seconds": plan.max_seconds})
        folder = (self._home / "nights" / PREFIX).absolute()
        job = build_bake_job(settings, start=start, max_seconds=plan.max_seconds, home=self._home)
        await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
        try:
            rows = {"questions": list(map(to_row, train)), "held_out": list(map(to_row, held_out))}
            await asyncio.to_thread(write_rows, folder, asdict(job), **rows)
            await self._room.make(plan, run_id=None)
            try:
                options = {"gpus": plan.gpus, "max_memory": settings.max_memory}
                await run_child(folder, "learning.bake", progress=self._progress, **options)
            finally:
                await self._room.give_back()
            return await self._adopt(folder / "adapter")
        finally:
            await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)

    async def _adopt(self, made: Path) -> str:
        manifest = await asyncio.to_thread(read_manifest, made)
        assert manifest, "the child ended well but left no manifest"
        name = f"{PREFIX}-{datetime.now(UTC):%Y%m%d}-{manifest['sha256'][:8]}"
        target = self._get_folder(name)
        target.parent.mkdir(parents=True, exist_ok=True)
        if not target.exists():
            await asyncio.to_thread(made.rename, target)
        await self._adapters.register(
            name=name,
            folder=str(target),
            base_model=self._settings.base_model,
            sha256=manifest["sha256"],
            manifest=manifest,
        )
        return name

    async def _judge(self, name: str, *, by: str, promote: bool) -> BakeResult:
        proven = await self._prove(name)
        await self._progress({"event": "proved", "passed": proven})
        tallies = await self._ask_probes(name) if proven else []
        manifest = (await self._adapters.get(name)).manifest
        decision = decide_bake(manifest["baked"], proven=proven, tallies=tallies)
        await self._progress({"event": "decided", "verdict": decision.verdict, "reason": decision.reason})
        promoted = promote and decision.verdict == "promote"
        if decision.verdict == "refuse":
            await self._adapters.reject(name, decision.reason)
        if promoted:
            await self._serving.promote(name, by=by, reason=decision.reason)
        await self._let_go(name, keep=decision.verdict != "refuse")
        return BakeResult(
            adapter=name,
            verdict=decision.verdict,
            reason=decision.reason,
            promoted=promoted,
            made_from=manifest["made_from"],
            questions=manifest["questions"],
            held_out=manifest["held_out"],
            baked=manifest["baked"],
            checks=[asdict(check) for check in decision.checks],
            seconds=manifest["seconds"],
        )

    async def _prove(self, name: str) -> bool | None:
        """Whether the server computes what was trained; None where it cannot be told."""
        folder = self._get_folder(name)
        try:
            await asyncio.to_thread(check_weights, folder)
            await self._model_server.load_adapter(name, str(folder))
            scores = await asyncio.to_thread(read_evaluation, folder)
            proof = await prove_served(self._model_server, name, proofs=scores["proofs"], scored=scores["pairs"])
        except WrongWeightsError as error:
            log.error("the adapter is not what was baked", extra={"adapter": name, "error": str(error)})
            return False
        except ModelServerError as error:
            log.warning("the adapter could not be served", extra={"adapter": name, "error": str(error)})
            return None
        return proof.passed if proof else None

    async def _ask_probes(self, name: str) -> list[Tally]:
        """Secrets, names, sycophancy, refusals and what must not be forgotten, beside what is served."""
        active = await self._adapters.find_active()
        baked = frozenset({name, active.name} if active and active.is_baked else {name})
        models = Models(name, active.name if active else None, baked)
        deadline = Deadline(self._settings.evaluate_seconds)
        try:
            asked = await ask_probes(self._model_server, load_probes(), models, deadline=deadline)
        except ModelServerError as error:
            log.warning("the probes were not asked to the end", extra={"error": str(error)})
            return []
        return [Tally(one["name"], one["candidate"], one["live"], one["count"]) for one in asked["tallies"]]

    async def _let_go(self, name: str, *, keep: bool) -> None:
        try:
            await self._serving.unload_old(candidate=name if keep else None)
        except ModelServerError as error:
            log.warning("old adapters stay loaded", extra={"error": str(error)})

    def _get_folder(self, name: str) -> Path:
        return (self._home / "adapters" / name).absolute()


def choose_questions(lessons: Sequence[Lesson], *, seed: int) -> tuple[list[Lesson], list[Lesson]]:
    """Questions with passages, as the bot shows them; of these trained and held out, by document.

    Raises:
        InvalidInputError: too few to bake on, or to measure on.
    """
    shown = [lesson for lesson in lessons if lesson.kind in ("rag", "unanswerable", "summary")]
    train, held_out = split_lessons(shown, share=HELD_OUT_SHARE, seed=seed)
    if len(train) < FEWEST_QUESTIONS or len(held_out) < FEWEST_HELD_OUT:
        raise InvalidInputError(
            f"expected {FEWEST_QUESTIONS} exercises with passages to bake on and {FEWEST_HELD_OUT} of other documents "
            f"to measure on, got {len(train)} and {len(held_out)}; `nightbake exercises make --kind rag` makes more, "
            "and `nightbake exercises review` lets them through"
        )
    return train[:MOST_QUESTIONS], held_out[:MOST_HELD_OUT]


def to_row(lesson: Lesson) -> dict[str, Any]:
    """A question as the child process reads it."""
    return {"prompt": lesson.prompt, "language": lesson.language, "sha256": lesson.sha256}


def build_bake_job(settings: NightSettings, *, start: Adapter | None, max_seconds: float, home: Path) -> BakeJob:
    """A bake's job; the rank and alpha of the adapter that it starts from stay."""
    figures = settings.figures
    job = start.manifest["job"] if start else {"rank": settings.rank, "alpha": 2 * settings.rank}
    return BakeJob(
        base_model=settings.base_model,
        start_from=start.folder if start else None,
        rank=job["rank"],
        alpha=job["alpha"],
        bits=settings.bits,
        answer_tokens=settings.answer_tokens,
        seed=settings.seed,
        max_seconds=max_seconds,
        threads=settings.threads or len(os.sched_getaffinity(0)),
        reference_cache=str((home / "reference").absolute()),
        prices={"currency": figures.currency, "hour": figures.hour, "watts": figures.watts},
    )
