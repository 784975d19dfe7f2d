"""The life of a night: votes become pairs, pairs an adapter, a proven adapter is served; a report is always written."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from core.adapters import Adapters
from core.database import Database
from core.errors import ModelServerError, NightbakeError
from core.model_server import ModelServer
from core.pauses import Pauses
from core.serving import Serving
from learning import gate
from learning.audiences import DEFAULT, Audience, Audiences
from learning.collect import Collected, collect
from learning.examine import AskGolden, Examination, read_evidence
from learning.exercise_night import collect_exercises, find_preferred
from learning.lost import check_pairs_kept
from learning.night import NightResult, NightSettings, Stopped
from learning.rehearse import build_collect_settings, build_sampler
from learning.report import write_reports
from learning.room import Room
from learning.runs import Kind, NightLock, NightRunningError, Run, RunPair, Runs, Stage, State
from learning.serve import WrongWeightsError, check_weights, prove_served
from learning.trainer import Progress, read_evaluation
from learning.training import Training

log = logging.getLogger(__name__)

MOST_ATTEMPTS = 3
FEWEST_TRAINING_PAIRS = 2
ACTOR = "nightbake"
# Who asks for the nights that nobody asks for.
SCHEDULE = "schedule"

Examine = Callable[[], Awaitable[None]]


async def ignore_progress(_: dict[str, Any]) -> None:
    """For callers that show none."""


async def run_night(
    *,
    database: Database,
    model_server: ModelServer,
    home: Path,
    settings: NightSettings,
    progress: Progress = ignore_progress,
    requested_by: str = SCHEDULE,
    night: date | None = None,
    kind: Kind = "night",
    force: bool = False,
    examine: Examine | None = None,
    ask_golden: AskGolden | None = None,
) -> NightResult:
    """Finish what a crash left, then work on a night; its report is stored whatever happens.

    Args:
        home: state folder; finished adapters lie under `adapters/`, where the model server must see them.
        night: the date it is for, today in UTC by default.
        kind: `exercises` trains supervised, on exercises instead of votes.
        force: train on fewer pairs than `min_pairs`; the gate stays as strict as ever.
        examine: asks the golden questions of what is served after the night, and records what came of it.
        ask_golden: asks them of one adapter, for the gate.

    Raises:
        NightRunningError: another process is at it, or the schedule has had this night.
    """
    runs = Runs(database)
    night = night or datetime.now(UTC).date()
    async with runs.lock() as lock:
        parts: dict[str, Any] = {"database": database, "model_server": model_server, "home": home, "lock": lock}
        work = Night(**parts, settings=settings, progress=progress, force=force, examine=examine, ask_golden=ask_golden)
        left = await runs.resume()
        if left:
            result = await work.finish(left)
            await finish_audiences(work, runs, left)
            if (left.night, left.kind) == (night, kind):
                return result
        window_to = datetime.now(UTC)
        window_from = window_to - timedelta(days=settings.window_days)
        options: dict[str, Any] = {"window_from": window_from, "window_to": window_to, "kind": kind}
        run = await runs.begin(night=night, requested_by=requested_by, **options)
        if run is None:
            raise NightRunningError(f"the night of {night} has been done; `nightbake report` shows it")
        result = await work.finish(run)
        await finish_audiences(work, runs, run)
        return result


async def finish_audiences(work: "Night", runs: Runs, run: Run) -> None:
    """After a night, the same for each audience that has an adapter of its own and did not have this night yet."""
    window: dict[str, Any] = {"window_from": run.window_from, "window_to": run.window_to}
    for audience in await work.find_audiences():
        whose: dict[str, Any] = {"audience": audience.principal, "kind": run.kind}
        own = await runs.begin(night=run.night, requested_by=run.requested_by, **whose, **window)
        if own:
            await work.finish(own)


class Night:
    """The stages of one night. Each can run again: what it stored last time is used or replaced."""

    def __init__(
        self,
        *,
        database: Database,
        model_server: ModelServer,
        home: Path,
        settings: NightSettings,
        progress: Progress,
        lock: NightLock,
        force: bool,
        examine: Examine | None,
        ask_golden: AskGolden | None,
    ) -> None:
        self._database = database
        self._model_server = model_server
        self._settings = settings
        self._progress = progress
        self._lock = lock
        self._force = force
        self._examine = examine
        self._runs = Runs(database)
        self._adapters = Adapters(database)
        self._audiences = Audiences(database)
        self._pauses = Pauses(database)
        self._serving = Serving(adapters=self._adapters, model_server=model_server)
        self._room = Room(database, self._serving, model_server, settings.room)
        self._training = Training(database=database, home=home, settings=settings, room=self._room, progress=progress)
        self._examination = Examination(
            database=database,
            model_server=model_server,
            settings=settings,
            progress=progress,
            ask_golden=ask_golden,
        )

    async def find_audiences(self) -> list[Audience]:
        """Who has an adapter of their own, beside everyone."""
        return await self._audiences.find_own()

    async def finish(self, run: Run) -> NightResult:
        """All stages, then the report; a failure is a report too."""
        state: State
        reason, error = None, None
        try:
            if run.attempts > MOST_ATTEMPTS:
                raise NightbakeError(f"given up after {MOST_ATTEMPTS} attempts that ended without a word; see the logs")
            state, reason = await self._work(run)
        except Stopped as stop:
            state, reason = "skipped", str(stop)
        except Exception as failure:
            log.exception("the night failed", extra={"run_id": run.id})
            state, reason, error = "failed", "failed", str(failure) or type(failure).__name__
        if state in ("skipped", "failed"):
            await self._training.clear(run)
        await self._let_answer()
        run = await self._enter(run, "report")
        if run.audience == DEFAULT.principal:
            await self._ask_golden_questions()
        told: dict[str, Any] = {"figures": self._settings.figures, "min_pairs": self._settings.min_pairs}
        await write_reports(self._database, run, state=state, reason=reason, error=error, **told)
        run = await self._runs.finish(run.id, state, reason=reason, error=error)
        await self._progress({"event": "finished_night", "state": state, "reason": reason, "run_id": run.id})
        return await self._sum_up(run)

    async def _let_answer(self) -> None:
        """However the night ended, the model shall not rest any more."""
        try:
            await self._room.give_back()
        except NightbakeError as error:
            log.error("the model does not answer again", extra={"error": str(error)})

    async def _ask_golden_questions(self) -> None:
        """The report comes also where they cannot be asked."""
        if self._examine:
            try:
                await self._examine()
            except NightbakeError as error:
                log.warning("the golden questions were not asked", extra={"error": str(error)})

    async def _work(self, run: Run) -> tuple[State, str]:
        if run.requested_by == SCHEDULE and await self._pauses.is_paused():
            raise Stopped("paused")
        # A night that was killed may have left the model at rest, and collecting asks it.
        await self._let_answer()
        run = await self._collect(run)
        pairs = await self._runs.find_pairs(run.id)
        run = await self._train(run, pairs)
        run = await self._serve(run)
        run = await self._evaluate(run, pairs)
        run = await self._pass_gate(run)
        return await self._switch(run)

    async def _collect(self, run: Run) -> Run:
        """Votes to pairs, every vote accounted for; enough of them, or the night ends here."""
        run = await self._enter(run, "collect")
        began = time.monotonic()
        settings = self._settings
        collected = await self._gather(run)
        counts, tickets = collected.counts, collected.tickets
        run = await self._runs.update(run.id, counts=counts, tickets=tickets, seconds=_since("collect", began))
        await self._progress({"event": "collected", **counts})
        too_few = counts["pairs"] < settings.min_pairs and not self._force
        if too_few or counts["trained"] < FEWEST_TRAINING_PAIRS:
            raise Stopped("too_few_pairs" if run.kind == "night" else "too_few_exercises")
        return run

    async def _gather(self, run: Run) -> Collected:
        settings = self._settings
        if run.kind == "exercises":
            chosen = settings.exercises
            return await collect_exercises(self._database, self._runs, run, chosen, seed=settings.seed)
        return await collect(
            self._database,
            self._runs,
            run,
            build_collect_settings(settings, run.audience),
            sampler=await build_sampler(settings, self._model_server, self._adapters, run.audience),
            lessons=await find_preferred(self._database, settings.exercises, run.audience),
            progress=self._progress,
        )

    async def _train(self, run: Run, pairs: Sequence[RunPair]) -> Run:
        """The child process; an adapter that it had finished before a crash is taken as it is."""
        run = await self._enter(run, "train")
        began = time.monotonic()
        made = await self._training.train(run, pairs)
        if made:
            run = await self._runs.update(run.id, adapter=made, seconds=_since("train", began))
            await self._training.clear(run)
        return run

    async def _serve(self, run: Run) -> Run:
        """Load the candidate beside the adapter in service and prove that the server computes what was trained."""
        run = await self._enter(run, "serve")
        await self._let_answer()
        began = time.monotonic()
        folder = self._training.get_folder(run.adapter or "")
        scores = await asyncio.to_thread(read_evaluation, folder)
        proof: dict[str, Any]
        try:
            await asyncio.to_thread(check_weights, folder)
            await self._serving.restore()
            await self._model_server.load_adapter(run.adapter or "", str(folder))
            found = await prove_served(
                self._model_server, run.adapter or "", proofs=scores["proofs"], scored=scores["pairs"]
            )
            proof = asdict(found) if found else {"passed": None, "error_text": "no held-out pair to prove it with"}
        except WrongWeightsError as error:
            log.error("the candidate is not what was trained", extra={"adapter": run.adapter, "error": str(error)})
            proof = {"passed": False, "error_text": str(error)}
        except ModelServerError as error:
            log.warning("the candidate could not be served", extra={"adapter": run.adapter, "error": str(error)})
            proof = {"passed": None, "error_text": str(error)}
        await self._progress({"event": "proved", "passed": proof["passed"]})
        return await self._runs.update(run.id, proof=proof, seconds=_since("serve", began))

    async def _evaluate(self, run: Run, pairs: Sequence[RunPair]) -> Run:
        """Held-out pairs, probes, golden questions, and answers written again; see `examine.py`."""
        run = await self._enter(run, "evaluate")
        began = time.monotonic()
        run = await self._examination.examine(run, pairs, self._training.get_folder(run.adapter or ""))
        return await self._runs.update(run.id, seconds=_since("evaluate", began))

    async def _pass_gate(self, run: Run) -> Run:
        run = await self._enter(run, "gate")
        limits = gate.Limits(
            min_decisive=self._settings.min_held_out, grounded_margin=self._settings.groundedness_margin
        )
        decision = gate.decide(read_evidence(run), limits)
        await self._progress({"event": "decided", "verdict": decision.verdict, "reason": decision.reason})
        return await self._runs.update(run.id, gate=gate.to_record(decision, limits))

    async def _switch(self, run: Run) -> tuple[State, str]:
        """One row where the gate says so and nights are not paused; a candidate that is not served is unloaded."""
        run = await self._enter(run, "switch")
        assert run.gate and run.adapter
        verdict, reason = run.gate["verdict"], run.gate["reason"]
        by_itself = self._settings.promote == "auto" and not await self._pauses.is_paused()
        if verdict == "promote" and by_itself:
            is_tried = await self._promote(run.adapter, run.audience, f"night {run.night}: {reason}")
            await self._let_go()
            return "done", "on_trial" if is_tried else reason
        if verdict == "refuse":
            await self._adapters.reject(run.adapter, reason)
            await self._let_go()
            return "refused", reason
        await self._let_go()
        return "done", "awaits_approval" if verdict == "promote" else reason

    async def _promote(self, adapter: str, audience: str, reason: str) -> bool:
        """For its audience, or on trial for a share of everyone; nothing where a crashed attempt had done it.

        An audience other than everyone is too small for votes to find harm in time: its adapter is not tried.

        Returns:
            Whether it is on trial.
        """
        share = self._settings.trial_share if audience == DEFAULT.principal else 0.0
        if (await self._adapters.get(adapter)).state in ("active", "trial"):
            return share > 0
        await self._lock.check()
        if share:
            await self._serving.try_out(adapter, share=share, by=ACTOR, reason=reason)
        else:
            await self._serving.promote(adapter, by=ACTOR, reason=reason)
        return share > 0

    async def _let_go(self) -> None:
        """Folders first: those that are unloaded now go in a later night."""
        try:
            await self._serving.delete_old(keep=self._settings.keep_adapters)
            await self._serving.unload_old()
        except ModelServerError as error:
            log.warning("old adapters stay loaded", extra={"error": str(error)})

    async def _enter(self, run: Run, stage: Stage) -> Run:
        await self._progress({"event": "stage", "stage": stage, "run_id": run.id})
        run = await self._runs.update(run.id, stage=stage)
        if stage != "report":
            await check_pairs_kept(self._adapters, run)
        return run

    async def _sum_up(self, run: Run) -> NightResult:
        active = await self._adapters.find_active(run.audience)
        counts = run.counts
        return NightResult(
            run_id=run.id,
            night=run.night,
            state=run.state,
            reason=run.reason,
            votes=counts.get("votes", 0),
            pairs=counts.get("pairs", 0),
            trained=counts.get("trained", 0),
            held_out=counts.get("held_out", 0),
            verdict=run.gate["verdict"] if run.gate else None,
            adapter=run.adapter,
            switched=bool(active and active.name == run.adapter),
            seconds=round(sum(run.seconds.values()), 1),
        )


def _since(stage: str, began: float) -> dict[str, float]:
    return {stage: round(time.monotonic() - began, 2)}
