"""What each kind of fault does, and how it is mended after a while. Faults of one thing wait for each other."""

import asyncio
import contextlib
import os
import shutil
import signal
import time
from pathlib import Path

from psycopg import sql

from benchmarks.faults_schedule import Fault
from benchmarks.faults_world import LOOK_SECONDS, Child, World, restart

# A training begins some time after its night.
TRAINER_SECONDS = 15.0
CHUNK_BYTES = 64 * 1024


async def inflict(fault: Fault, world: World) -> bool:
    """Let it happen and mend it; False where it cannot happen here."""
    replica = world.replicas[fault.target % len(world.replicas)]
    match fault.kind:
        case "replica killed":
            await _kill(replica, fault.seconds)
        case "replica frozen":
            async with replica.lock:
                await replica.freeze(2 * fault.seconds)
        case "replica replaced":
            await _replace(replica, world)
        case "replica's clock wrong":
            await _replace(replica, world, clock_seconds=fault.jump)
            await asyncio.sleep(fault.seconds)
            await _replace(replica, world)
        case "model server killed":
            await _kill(world.model, fault.seconds)
        case "scheduler killed":
            if not world.schedulers:
                return False
            await _kill(world.schedulers[fault.target % len(world.schedulers)], fault.seconds / 2)
        case "trainer killed":
            return await _kill_trainer(world)
        case _:
            # One at a time: they are all the database's.
            async with world.lock:
                return await _break_database(fault, world)
    return True


async def _break_database(fault: Fault, world: World) -> bool:
    match fault.kind:
        case "database stopped":
            await _stop_database(world, "fast", fault.seconds)
        case "database crashed":
            await _stop_database(world, "immediate", fault.seconds / 2)
        case "database's clock wrong":
            # As after a failover to a machine with another clock.
            statement = sql.SQL("ALTER DATABASE {} SET faults.jump = {}")
            jump = statement.format(sql.Identifier(world.database), sql.Literal(f"{fault.jump:.3f} seconds"))
            await asyncio.to_thread(world.postgres.execute, jump)
            await world.proxy.cut()
        case "connections cut":
            await world.proxy.cut(fault.seconds / 2)
        case "connections hung":
            await world.proxy.hang(2 * fault.seconds)
        case "connections slow":
            await world.proxy.slow(fault.seconds)
        case _:
            return await _fill_disk(world, fault.seconds)
    return True


async def _kill(child: Child, seconds: float) -> None:
    async with child.lock:
        await child.end(signal.SIGKILL)
        await restart(child, after=seconds / 2)


async def _replace(replica: Child, world: World, *, clock_seconds: float = 0.0) -> None:
    """In good order, as for another version."""
    async with replica.lock:
        world.exit_codes.append(await replica.end(signal.SIGTERM))
        await restart(replica, after=0.0, clock_seconds=clock_seconds)


async def _kill_trainer(world: World) -> bool:
    """As soon as there is one."""
    deadline = time.monotonic() + TRAINER_SECONDS
    while world.schedulers and time.monotonic() < deadline:
        if trainers := await asyncio.to_thread(world.find_trainers):
            for pid in trainers:
                os.kill(pid, signal.SIGKILL)
            return True
        await asyncio.sleep(10 * LOOK_SECONDS)
    return False


async def _stop_database(world: World, how: str, seconds: float) -> None:
    await asyncio.to_thread(world.postgres.stop, how)
    await asyncio.sleep(seconds)
    await asyncio.to_thread(world.postgres.start)


async def _fill_disk(world: World, seconds: float) -> bool:
    """Not a byte is left, for the database as for adapters; a server that gave up is started again."""
    if not world.is_own_disk:
        return False
    ballast = world.folder / "ballast"
    await asyncio.to_thread(_write_ballast, ballast)
    await asyncio.sleep(seconds)
    ballast.unlink()
    await asyncio.to_thread(world.postgres.start)
    return True


def _write_ballast(ballast: Path) -> None:
    """Others write meanwhile, so it is what is left that is taken, until nothing is."""
    with ballast.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while free := shutil.disk_usage(ballast.parent).free:
            with contextlib.suppress(OSError):
                os.posix_fallocate(file.fileno(), file.seek(0, os.SEEK_END), max(4096, free - CHUNK_BYTES))
            file.seek(0, os.SEEK_END)
            file.write(bytes(min(free, CHUNK_BYTES)))
