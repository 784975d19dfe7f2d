"""Faults by seed against real processes, and a planted bug that they find; see `benchmarks/faults.py`."""

from collections.abc import Iterator

import pytest

from benchmarks.faults import Batch, preload, prepare, run_once
from benchmarks.faults_schedule import draw_replacement, draw_schedule
from benchmarks.faults_world import Postgres, open_disk

pytestmark = pytest.mark.timeout(600)

SEED = 9
# With --thorough.
MOST_RUNS = 50
# The planted bug comes to light in the first run of this seed, or in a later one.
PLANT_SEED, PLANT_RUNS = 1, 20


@pytest.fixture(scope="module")
def batch() -> Iterator[Batch]:
    """A server of its own, which is broken, with a template for each run's database."""
    preload(nights=False)
    with open_disk() as (folder, is_own_disk), Postgres(folder) as postgres:
        batch = Batch(folder, is_own_disk, postgres, base_model=None)
        prepare(batch)
        yield batch


async def test_whatever_breaks_nothing_is_lost_and_nothing_counts_twice(batch: Batch, thoroughness: float) -> None:
    for run in range(1, 1 + max(2, int(MOST_RUNS * thoroughness))):
        result = await run_once(batch, draw_schedule(SEED, run, night_every=0))
        assert result.violations == [], f"seed {SEED}, run {run}: {dict(result.faults)}"


async def test_replicas_are_replaced_while_people_ask(batch: Batch) -> None:
    result = await run_once(batch, draw_replacement(SEED, 0))
    assert (result.violations, result.faults) == ([], {"replica replaced": 2})


async def test_an_event_that_is_acknowledged_before_it_is_stored_is_found(batch: Batch) -> None:
    planted = Batch(batch.folder, batch.is_own_disk, batch.postgres, None, plant="ack-before-insert")
    for run in range(1, 1 + PLANT_RUNS):
        result = await run_once(planted, draw_schedule(PLANT_SEED, run, night_every=0))
        if result.violations:
            break
    assert any("was acknowledged and is not stored" in one or " stands" in one for one in result.violations)


def test_a_seed_draws_the_same_run_again() -> None:
    assert draw_schedule(3, 10) == draw_schedule(3, 10) != draw_schedule(3, 11)
