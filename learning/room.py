"""Room for the training on the server's GPU: the model is put to rest, woken again, and proven before it answers.

Both deeds may be done again, so a night that was killed between them goes on from its stored stage.
"""

import asyncio
import contextlib
import logging
import shlex
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from core.adapters import Adapters
from core.database import Database
from core.errors import ModelServerError, ProcessError
from core.model_server import ModelServer
from core.rests import Rest, Rests
from core.serving import Serving
from learning.gpus import read_gpus
from learning.plan import (
    AFTER_SECONDS,
    NoRoomError,
    Plan,
    choose_way,
    estimate_need,
    find_deadline,
    find_train_seconds,
)
from learning.runs import NightRunningError, Runs
from learning.serve import prove_served
from learning.trainer import read_evaluation

log = logging.getLogger(__name__)

ACTOR = "nightbake"
LOST = "its weights were lost while the model rested"
# Questions that looked before the rest began have sent their request by then.
SETTLE_SECONDS = 2.0
START_SECONDS, POLL_SECONDS = 900.0, 1.0
# Where the base model is a name of a hub, its size is not known.
USUAL_NEED_GIB = 24.0


@dataclass(frozen=True, slots=True)
class RoomSettings:
    """What people say about it.

    Attributes:
        wish: `auto` or one of `learning.plan.WAYS`.
        need: GiB for the training; None is estimated from the size of the base model's weights.
        done_by: `HH:MM` on the wall clock of `time_zone`, None for no deadline.
        stop_command, start_command: of the model server, for the way `restart`; they return when it is done or begun.
        after_seconds: kept free between the training and the deadline.
    """

    wish: str = "auto"
    need: float | None = None
    done_by: str | None = None
    time_zone: str = "UTC"
    stop_command: str | None = None
    start_command: str | None = None
    after_seconds: float = AFTER_SECONDS


class Room:
    """Plans, makes room, and gives it back."""

    def __init__(
        self,
        database: Database,
        serving: Serving,
        model_server: ModelServer,
        settings: RoomSettings,
        *,
        settle_seconds: float = SETTLE_SECONDS,
    ) -> None:
        self._rests = Rests(database)
        self._adapters = Adapters(database)
        self._serving = serving
        self._model_server = model_server
        self._settings = settings
        self._settle_seconds = settle_seconds

    async def plan(self, base_model: str, *, most_seconds: float, bits: int = 16) -> Plan:
        """How tonight's training runs; nothing is changed yet.

        Args:
            bits: of the base's weights in training.

        Raises:
            NoRoomError, NoTimeError: it does not run.
        """
        settings, now = self._settings, datetime.now(UTC)
        deadline = find_deadline(settings.done_by, settings.time_zone, now)
        seconds = find_train_seconds(now, deadline, most=most_seconds, after=settings.after_seconds)
        need = settings.need or await asyncio.to_thread(_estimate, Path(base_model), bits)
        rest = await self._rests.find()
        if rest:
            # A night that was killed left the model at rest: its memory is free, and the way is known.
            gpus = await read_gpus()
            return Plan(rest.way, tuple(gpu.index for gpu in gpus[:1]), need, seconds)
        way, chosen = choose_way(
            settings.wish,
            await read_gpus(),
            need,
            can_sleep=await self._can_sleep(),
            can_restart=bool(settings.stop_command and settings.start_command),
        )
        return Plan(way, chosen, need, seconds)

    async def make(self, plan: Plan, *, run_id: int | None) -> None:
        """Put the model to rest where the plan says so; from then on answers are quoted. Again it changes nothing.

        Raises:
            NoRoomError: it rests, and the memory is not free all the same; it has been woken.
            ModelServerError, ProcessError: it could not be put to rest.
        """
        if plan.way not in ("sleep", "restart"):
            return
        ends_by = datetime.now(UTC) + timedelta(seconds=plan.max_seconds + self._settings.after_seconds)
        await self._rests.begin(run_id=run_id, way=plan.way, ends_by=ends_by)
        await asyncio.sleep(self._settle_seconds)
        if plan.way == "sleep":
            if not await self._model_server.is_sleeping():
                await self._model_server.sleep()
        else:
            await _run(self._settings.stop_command or "")
        # A server may answer that it sleeps and keep its memory, as vLLM does on a CPU.
        gpus = [gpu for gpu in await read_gpus() if gpu.index in plan.gpus]
        if gpus and gpus[0].free < plan.need:
            await self.give_back()
            raise NoRoomError(
                f"expected {plan.need:.0f} GiB free while the model rests ({plan.way}), got {gpus[0].free:.0f} GiB; "
                "a larger GPU, a smaller NIGHT_GPU_GIB, or another NIGHT_GPU"
            )

    async def give_back(self) -> None:
        """Wake the model, load what is served anew, prove it, and let it answer; nothing where it does not rest.

        Raises:
            ModelServerError, ProcessError: it does not come back; answers stay quoted.
        """
        rest = await self._rests.find()
        if rest is None:
            return
        await self._wake(rest)
        await self._serving.reload()
        await self._prove()
        await self._rests.end()

    async def _wake(self, rest: Rest) -> None:
        if rest.way == "restart" and not await self._model_server.is_healthy():
            await _run(self._settings.start_command or "")
        await self._wait_until_healthy()
        if await self._model_server.is_sleeping():
            await self._model_server.wake_up()

    async def _wait_until_healthy(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while not await self._model_server.is_healthy():
            if time.monotonic() > deadline:
                raise ModelServerError(f"the model server was not back after {START_SECONDS:.0f} s")
            await asyncio.sleep(POLL_SECONDS)

    async def _prove(self) -> None:
        """What answered before answers again, or the base model: weights have been lost in a sleep in the field."""
        active = await self._adapters.find_active()
        if active is None:
            return
        scores = await asyncio.to_thread(_read_scores, Path(active.folder))
        if scores is None:
            return
        proof = await prove_served(self._model_server, active.name, proofs=scores["proofs"], scored=scores["pairs"])
        if proof and proof.passed is False:
            log.error(
                "the adapter came back with other weights, the base model answers", extra={"adapter": active.name}
            )
            await self._serving.promote(None, by=ACTOR, reason=LOST)

    async def _can_sleep(self) -> bool:
        try:
            return await self._model_server.is_sleeping() is not None
        except ModelServerError:
            return False


async def wake_abandoned(database: Database, room: Room) -> None:
    """Wake the model where a night that was killed left it at rest and nobody works on a night.

    Raises:
        ModelServerError, ProcessError: it does not come back.
    """
    with contextlib.suppress(NightRunningError):
        async with Runs(database).lock():
            await room.give_back()


def _read_scores(folder: Path) -> Mapping[str, Any] | None:
    """None for an adapter that was not trained by a night."""
    try:
        return read_evaluation(folder)
    except OSError:
        return None


def _estimate(base_model: Path, bits: int) -> float:
    weights = [file.stat().st_size for file in base_model.glob("*.safetensors")] if base_model.is_dir() else []
    return estimate_need(sum(weights), bits) if weights else USUAL_NEED_GIB


async def _run(command: str) -> None:
    """A command of the administrator's, without a shell.

    Raises:
        ProcessError: it failed.
    """
    words = shlex.split(command)
    try:
        process = await asyncio.create_subprocess_exec(*words, stdin=asyncio.subprocess.DEVNULL)
    except OSError as error:
        raise ProcessError(f"{words[0]!r} could not be started: {error.strerror}") from error
    if code := await process.wait():
        raise ProcessError(f"{words[0]!r} ended with code {code}; run it by hand to see why")
