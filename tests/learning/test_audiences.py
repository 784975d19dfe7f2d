"""Audiences: one row and one name each, and a data set that all of them may read."""

from datetime import timedelta

import pytest

from core.database import Database
from core.errors import NotFoundError
from learning.audiences import DEFAULT, Audience, Audiences
from learning.collect import CollectSettings, collect
from learning.runs import Runs
from tests.learning.log import log_answer, make_passage, vote
from tests.learning.making import NOON


async def test_audiences_are_kept_by_name(database: Database) -> None:
    audiences = Audiences(database)
    await audiences.add("hr", "group:hr")
    await audiences.add("board", "group:c-level")
    await audiences.add("board", "group:board")
    assert await audiences.find_all() == [DEFAULT, Audience("board", "group:board"), Audience("hr", "group:hr")]
    assert (await audiences.get("hr")).principal == "group:hr"
    with pytest.raises(NotFoundError, match="'it'"):
        await audiences.get("it")


async def test_each_audience_has_the_pairs_that_all_of_it_may_read(database: Database) -> None:
    kinds = (("everyone",), ("group:hr",), ("group:hr", "group:it"), ("group:it",), ("public",))
    for at, allow in enumerate(kinds):
        passage = make_passage(f"subject {at} {'x' * at}", 10 + at, allow=allow)
        answer = await log_answer(database, f"What about {allow}?", [passage], "perhaps for long")
        await vote(database, answer, f"user:{at}", -1, f"The company grants {10 + at} days.")
    rows = await database.fetch_dicts(b"SELECT now() + interval '1 second' AS until")
    runs, counts = Runs(database), {}
    for audience in ("everyone", "group:hr", "group:it"):
        window = {"window_from": rows[0]["until"] - timedelta(days=1), "window_to": rows[0]["until"]}
        run = await runs.begin(night=NOON.date(), requested_by="test", **window)
        assert run
        settings = CollectSettings(max_pairs=9, seed=0, audience=audience)
        counts[audience] = (await collect(database, runs, run, settings)).counts["pairs"]
    assert counts == {"everyone": 2, "group:hr": 4, "group:it": 4}
    readers = await database.fetch_dicts(b"SELECT readers FROM pairs ORDER BY given_at")
    named = [["group:hr"], ["group:hr", "group:it"], ["group:it"]]
    assert [row["readers"] for row in readers] == [["everyone"], *named, ["everyone"]]
