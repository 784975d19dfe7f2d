"""Whatever moves in a company, nobody is shown what they may not read, and everybody what they may.

A case is a room, or one person alone, in a random company at one moment, held against the rule that worlds.py writes
out: all that is searched, cited, opened, remembered, listed, shown of the log, trained, and read by bare SQL.
"""

import asyncio
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings

from core.database import Database
from retrieval.embedding import Embedder
from tests.security.company import Company, LeakError, open_company
from tests.security.worlds import World, worlds

SEED = 9
CASES = 10_000
# At least: five people alone, one of them on the web too, and a room more or less; before and after a move.
CASES_A_COMPANY = 13
EXAMPLES = CASES // CASES_A_COMPANY + 1


@pytest.fixture(scope="module")
def embedder() -> Iterator[Embedder]:
    embedder = Embedder()
    yield embedder
    embedder.close()


def find_leak(
    runner: asyncio.Runner, company: Company, *, examples: int, shrink: bool = True
) -> tuple[int, LeakError | None]:
    """How many cases were tried, and what was wrong with the last, if anything was."""
    tried = 0
    phases = (Phase.generate, Phase.shrink) if shrink else (Phase.generate,)

    @seed(SEED)
    @settings(
        max_examples=examples,
        phases=phases,
        deadline=None,
        database=None,
        suppress_health_check=(HealthCheck.too_slow,),
    )
    @given(before=worlds(), after=worlds())
    def try_company(before: World, after: World) -> None:
        nonlocal tried
        for world in (before, after):
            runner.run(company.move(world))
            runner.run(company.check(world))
            tried += len(world.rooms) + 1

    try:
        try_company()
    except LeakError as leak:
        return tried, leak
    return tried, None


def test_nobody_is_shown_what_they_may_not_read(
    database_url: str, embedder: Embedder, thoroughness: float, capsys: pytest.CaptureFixture[str]
) -> None:
    with asyncio.Runner() as runner:
        entered = open_company(database_url, embedder)
        company, _ = runner.run(entered.__aenter__())
        tried, leak = find_leak(runner, company, examples=max(8, round(EXAMPLES * thoroughness)))
        runner.run(entered.__aexit__(None, None, None))
    assert leak is None, leak
    assert company.shown > tried / 2, "hardly anybody may read anything, so hardly anything was tried"
    with capsys.disabled():
        print(f"\n  visibility: {tried} cases, seed {SEED}, {company.shown} documents shown, 0 leaked")


PLANTED = {
    "policies are off": b"ALTER TABLE documents DISABLE ROW LEVEL SECURITY",
    "texts have no policy": b"ALTER TABLE document_texts DISABLE ROW LEVEL SECURITY",
    "memories have no policy": b"ALTER TABLE memories DISABLE ROW LEVEL SECURITY",
    "denials are ignored": b"UPDATE pg_proc SET prosrc = replace(prosrc, 'AND NOT deny && (held || denying)', '') "
    b"WHERE proname = 'visible_audiences'",
}


@pytest.mark.parametrize("hole", PLANTED)
def test_a_hole_that_is_planted_is_found(hole: str, database_url: str, embedder: Embedder) -> None:
    async def plant(owner: Database) -> None:
        await owner.execute(PLANTED[hole])

    with asyncio.Runner() as runner:
        entered = open_company(database_url, embedder)
        company, owner = runner.run(entered.__aenter__())
        runner.run(plant(owner))
        _, leak = find_leak(runner, company, examples=20, shrink=False)
        runner.run(entered.__aexit__(None, None, None))
    assert leak is not None
