"""Nights are paused by a row: said once, audited once, and the last word counts."""

from core.database import Database
from core.pauses import Pauses


async def find_acts(database: Database) -> list[tuple[str, str]]:
    return [(row["actor"], row["act"]) for row in await database.fetch_dicts(b"SELECT * FROM audit ORDER BY id")]


async def test_nobody_has_paused_anything(database: Database) -> None:
    assert not await Pauses(database).is_paused()


async def test_the_last_word_counts_and_each_is_audited(database: Database) -> None:
    pauses = Pauses(database)
    changed = [
        await pauses.set(paused, by=f"user:{by}") for paused, by in ((True, "ann"), (True, "bo"), (False, "cho"))
    ]
    assert (changed, await pauses.is_paused()) == ([True, False, True], False)
    assert await find_acts(database) == [("user:ann", "pause nights"), ("user:cho", "resume nights")]


async def test_a_click_that_comes_again_changes_nothing(database: Database) -> None:
    pauses = Pauses(database)
    assert await pauses.set(True, by="user:ann", event_key="inbox:1")
    assert await pauses.set(False, by="user:bo", event_key="inbox:2")
    assert not await pauses.set(True, by="user:ann", event_key="inbox:1")
    assert not await pauses.is_paused()
