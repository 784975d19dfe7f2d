"""From a night's pairs to an adapter in its place: job, room, training process, adoption. Each step may run again."""

import asyncio
import logging
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from core.adapters import Adapter, Adapters
from core.database import Database
from learning.audiences import Audiences
from learning.continuing import choose_rows, find_learnt
from learning.exercise_night import build_supervised, may_still_teach
from learning.night import NightSettings, Stopped, build_job
from learning.pair_export import stream_singles
from learning.plan import NoRoomError, NoTimeError, Plan
from learning.room import Room
from learning.runs import Run, RunPair
from learning.trainer import Progress, list_rows, read_manifest, run_trainer, write_job

log = logging.getLogger(__name__)


class Training:
    """The adapters of one state folder: `nights/` holds jobs at work, `adapters/` what they made, for good."""

    def __init__(
        self, *, database: Database, home: Path, settings: NightSettings, room: Room, progress: Progress
    ) -> None:
        self._database = database
        self._home = home
        self._settings = settings
        self._room = room
        self._progress = progress
        self._adapters = Adapters(database)
        self._audiences = Audiences(database)

    async def train(self, run: Run, pairs: Sequence[RunPair]) -> str | None:
        """The name of the adapter that the night's pairs made, registered as a candidate; None where the run has it.

        What was finished before a crash is taken as it is.

        Raises:
            Stopped: there is no room or no time.
            ProcessError: the training failed.
        """
        if run.adapter and read_manifest(self.get_folder(run.adapter)):
            return None
        folder = self._get_job_folder(run)
        if not read_manifest(folder / "adapter"):
            await self.clear(run)
            await self._make(run, pairs, folder)
        return await self._adopt(run, folder / "adapter")

    async def clear(self, run: Run) -> None:
        """Remove the job's folder, with all that the training process kept beside it."""
        await asyncio.to_thread(shutil.rmtree, self._get_job_folder(run), ignore_errors=True)

    def get_folder(self, adapter: str) -> Path:
        """Where an adapter of this name lies."""
        return (self._home / "adapters" / adapter).absolute()

    async def _make(self, run: Run, pairs: Sequence[RunPair], folder: Path) -> None:
        active = await self._adapters.find_active(run.audience)
        supervised = run.kind == "exercises"
        anchor = None if supervised else await self._find_anchor(run)
        learnt = set[str]() if supervised else await self._find_learnt(run, active, anchor)
        plan = await self._plan()
        job = build_job(
            self._settings,
            live_adapter=active.folder if active else None,
            start_from=active.folder if active and learnt else None,
            max_seconds=plan.max_seconds,
            reference_cache=(self._home / "reference").absolute(),
            anchor=anchor,
            supervised=supervised,
        )
        rows: dict[str, Sequence[Mapping[str, Any]]] = {
            "train": choose_rows(list_rows(pairs, "trained"), learnt, seed=self._settings.seed),
            "held_out": list_rows(pairs, "held_out"),
        }
        if supervised:
            chosen = self._settings.exercises
            rows["supervised"] = await build_supervised(self._database, run, chosen, seed=self._settings.seed)
        else:
            rows["singles"] = [row async for row in stream_singles(self._database, run.id)]
        await asyncio.to_thread(write_job, folder, job, **rows)
        await self._room.make(plan, run_id=run.id)
        await run_trainer(folder, progress=self._progress, gpus=plan.gpus, max_memory=self._settings.max_memory)

    async def _find_learnt(self, run: Run, active: Adapter | None, anchor: Adapter | None) -> set[str]:
        """What the served adapter learnt, where tonight may go on from it; it must have tonight's anchor too."""
        if active and active.manifest.get("anchor") != (anchor.name if anchor else None):
            return set()
        return await find_learnt(self._database, run.id, active, self._settings)

    async def _find_anchor(self, run: Run) -> Adapter | None:
        """The newest supervised adapter that people were served, if its folder is still there: DPO starts from it.

        It is the reference of every later night too, as long as all that it was taught may be taught: a night that
        starts from the base model holds nothing else.
        """
        found = await self._adapters.find_supervised(run.audience, base_model=self._settings.base_model)
        if not found or not read_manifest(Path(found.folder)):
            return None
        if not await may_still_teach(self._database, self._settings.exercises, found.name, run.audience):
            log.warning("starts from the base model: exercises were taken back", extra={"adapter": found.name})
            return None
        return found

    async def _plan(self) -> Plan:
        """Where and how long; a night that finds no room or no time is a report, and what was served stays."""
        base, most = self._settings.base_model, self._settings.max_train_seconds
        try:
            plan = await self._room.plan(base, most_seconds=most, bits=self._settings.bits)
        except (NoRoomError, NoTimeError) as error:
            log.warning("nothing was trained", extra={"reason": str(error)})
            raise Stopped("no_room" if isinstance(error, NoRoomError) else "no_time") from error
        await self._progress({"event": "planned", "way": plan.way, "max_seconds": plan.max_seconds})
        return plan

    async def _adopt(self, run: Run, made: Path) -> str:
        """Move a finished adapter to its place for good, under a name that is never used for other weights."""
        prefix = (await self._audiences.get_by_principal(run.audience)).name
        if run.kind == "exercises":
            prefix = f"{prefix}-sft"
        name, manifest = await asyncio.to_thread(self._move, run, made, prefix)
        await self._adapters.register(
            name=name,
            folder=str(self.get_folder(name)),
            base_model=self._settings.base_model,
            sha256=manifest["sha256"],
            manifest=manifest,
            audience=run.audience,
        )
        return name

    def _move(self, run: Run, made: Path, prefix: str) -> tuple[str, dict[str, Any]]:
        manifest = read_manifest(made)
        assert manifest, "the trainer ended well but left no manifest"
        name = f"{prefix}-{run.night:%Y%m%d}-{manifest['sha256'][:8]}"
        target = self.get_folder(name)
        target.parent.mkdir(parents=True, exist_ok=True)
        if read_manifest(target) is None:
            shutil.rmtree(target, ignore_errors=True)
            made.rename(target)
        return name, manifest

    def _get_job_folder(self, run: Run) -> Path:
        return (self._home / "nights" / str(run.id)).absolute()
