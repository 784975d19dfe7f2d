"""One source kept in step: outages, cursors, permissions first, removals by hand, copies, and flat memory."""

import tracemalloc
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from core.database import Database
from core.errors import InvalidInputError, NotFoundError
from retrieval.active_model import ActiveModel
from retrieval.documents import Documents
from retrieval.embedding import Embedder
from retrieval.ingest import ingest, sync
from retrieval.keep_up import KeepUp
from retrieval.ledger import Ledger, find_states, forget_source
from retrieval.search import Search
from retrieval.sources.access_rules import AccessRule
from retrieval.sources.source import Cursor, CursorError, Entry, Failure, Listed, Removed, SourceAwayError, Unread
from tests.eventually import eventually
from tests.retrieval.conftest import Write
from tests.retrieval.sources.listed import ListedSource, page

PEOPLE = AccessRule(["group:people"])


async def find_paths(database: Database) -> list[str]:
    return [one.path for one in await Documents(database).find_all()]


async def test_an_outage_while_listing_removes_nothing_and_keeps_what_was_said(
    database: Database, embedder: Embedder
) -> None:
    await sync(database, embedder, ListedSource([page("a"), page("b")]))
    away = ListedSource([page("a", rule=PEOPLE), SourceAwayError("no answer")])
    report = await sync(database, embedder, away)
    assert (report.removed, report.away) == (0, ["service: no answer"])
    assert [one.path for one in await Documents(database).find(["everyone"])] == ["b.md"]
    assert (await find_states(database))[0].error == "no answer"


async def test_an_outage_while_reading_ends_the_run_and_the_next_goes_on(
    database: Database, embedder: Embedder
) -> None:
    names = ["a", "b", "c", "d", "e"]
    source = ListedSource([page(name) for name in names], away={"b", "c", "d"})
    first = await sync(database, embedder, source)
    source.away, source.fetched = set(), []
    second = await sync(database, embedder, source)
    assert (first.added, len(first.away), second.added, source.fetched) == (1, 1, 4, ["b", "c", "d", "e"])


async def test_one_document_that_cannot_be_had_does_not_stop_the_others(database: Database, embedder: Embedder) -> None:
    report = await sync(database, embedder, ListedSource([page("a"), page("b"), page("c")], away={"b"}))
    assert (report.added, [one.path for one in report.failed], report.away) == (2, ["b.md"], [])


async def test_a_document_that_is_gone_when_it_is_read_is_removed(database: Database, embedder: Embedder) -> None:
    await sync(database, embedder, ListedSource([page("a"), page("b")]))
    report = await sync(database, embedder, ListedSource([page("a"), page("b", "2")], gone={"b"}))
    assert (report.removed, report.failed, await find_paths(database)) == (1, [], ["a.md"])


async def test_permissions_count_before_anything_is_read(database: Database, embedder: Embedder) -> None:
    await sync(database, embedder, ListedSource([page("a"), page("b")]))
    seen: list[list[str]] = []

    class Watching(ListedSource):
        async def fetch(self, entry: Entry, *, stored_version: str | None, max_bytes: int):
            seen.append([one.path for one in await Documents(database).find(["everyone"])])
            return await super().fetch(entry, stored_version=stored_version, max_bytes=max_bytes)

    await sync(database, embedder, Watching([page("a", "2"), page("b", rule=PEOPLE)]))
    assert seen == [["a.md"]]


async def test_after_a_cursor_only_changes_are_said(database: Database, embedder: Embedder) -> None:
    source = ListedSource([page("a"), page("b"), page("c"), Cursor("1")])
    await sync(database, embedder, source)
    source.listed = [page("b", "2"), Removed("c"), Cursor("2")]
    report = await sync(database, embedder, source)
    source.listed = [Cursor("3")]
    await sync(database, embedder, source)
    assert (report.updated, report.removed, report.unchanged) == (1, 1, 1)
    assert (source.cursors, await find_paths(database)) == ([None, "1", "2"], ["a.md", "b.md"])


async def test_the_last_word_on_a_document_counts(database: Database, embedder: Embedder) -> None:
    source = ListedSource([page("a"), page("b"), Cursor("1")])
    await sync(database, embedder, source)
    source.listed = [page("a", "2"), Removed("a"), Removed("b"), page("b", "2"), Cursor("2")]
    await sync(database, embedder, source)
    assert await find_paths(database) == ["b.md"]


async def test_a_cursor_is_kept_only_when_all_before_it_is_stored(database: Database, embedder: Embedder) -> None:
    source = ListedSource([page("a"), Cursor("1")])
    await sync(database, embedder, source)
    source.listed = [page("b"), SourceAwayError("no answer"), Cursor("2")]
    await sync(database, embedder, source)
    source.listed = [Cursor("2")]
    report = await sync(database, embedder, source)
    assert (source.cursors, report.unchanged) == ([None, "1", "1"], 1)
    assert await find_paths(database) == ["a.md", "b.md"]


async def test_a_cursor_that_is_too_old_lists_in_full(database: Database, embedder: Embedder) -> None:
    await sync(database, embedder, ListedSource([page("a"), page("b"), Cursor("1")]))

    class Old(ListedSource):
        async def list_entries(self, cursor: str | None):
            if cursor:
                raise CursorError("too old")
            async for one in super().list_entries(cursor):
                yield one

    report = await sync(database, embedder, Old([page("a"), Cursor("2")]))
    assert (report.removed, await find_paths(database)) == (1, ["a.md"])


@pytest.mark.parametrize("error", [KeyError("results"), TypeError("no list"), AttributeError("get")])
async def test_an_answer_of_another_form_is_an_outage(database: Database, embedder: Embedder, error: Exception) -> None:
    await sync(database, embedder, ListedSource([page("a")]))
    report = await sync(database, embedder, ListedSource([error]))
    assert (report.removed, len(report.away), await find_paths(database)) == (0, 1, ["a.md"])


async def test_names_that_a_database_cannot_hold_are_cleaned(database: Database, embedder: Embedder) -> None:
    odd = Entry("1", "a\x00b\ud800.md", AccessRule(["everyone"]), version="1", handle={"title": "\x00\udfff"})
    report = await sync(database, embedder, ListedSource([odd, Failure("x\x00\ud800", "odd")]))
    assert (report.added, report.failed_count, await find_paths(database)) == (1, 1, ["ab?.md"])


async def test_once_a_day_a_source_is_listed_in_full(database: Database, embedder: Embedder) -> None:
    source = ListedSource([page("a"), Cursor("1")])
    await sync(database, embedder, source)
    await database.execute(b"UPDATE sources SET listed_in_full_at = now() - interval '25 hours'")
    await sync(database, embedder, source)
    assert source.cursors == [None, None]


async def test_what_lies_in_a_folder_that_was_not_read_stays(database: Database, embedder: Embedder) -> None:
    entries: list[Listed] = [page("hr/a"), page("it/b")]
    await sync(database, embedder, ListedSource(entries))
    report = await sync(database, embedder, ListedSource([Failure("hr/", "cannot list"), Unread("hr/")]))
    assert (report.removed, await find_paths(database)) == (1, ["hr/a.md"])


async def test_a_renamed_entry_keeps_its_vectors(database: Database, embedder: Embedder) -> None:
    await sync(database, embedder, ListedSource([Entry("1", "old.md", PEOPLE, version="1")]))
    report = await sync(database, embedder, ListedSource([Entry("1", "new.md", PEOPLE, version="1")]))
    assert (report.embedded, report.removed, await find_paths(database)) == (0, 1, ["new.md"])


async def test_what_was_removed_by_hand_survives_every_ingest_until_restored(
    database: Database, embedder: Embedder
) -> None:
    source, documents = ListedSource([page("a"), page("b")]), Documents(database)
    await sync(database, embedder, source)
    document = (await documents.find_all())[0]
    await documents.remove(document.id)
    source.listed, source.fetched = [page("a", "2", PEOPLE), page("b")], []
    report = await sync(database, embedder, source)
    assert (await find_paths(database), source.fetched, report.added + report.updated) == (["b.md"], [], 0)
    await documents.restore(document.id)
    assert [one.path for one in await documents.find(["group:people"])] == ["a.md"]
    assert (await sync(database, embedder, source)).updated == 1


async def test_a_removal_wins_over_an_ingest_that_is_reading_the_document(
    database: Database, embedder: Embedder
) -> None:
    documents = Documents(database)
    await sync(database, embedder, ListedSource([page("a")]))

    class Slow(ListedSource):
        async def fetch(self, entry: Entry, *, stored_version: str | None, max_bytes: int):
            await documents.remove((await documents.find_all())[0].id)
            return await super().fetch(entry, stored_version=stored_version, max_bytes=max_bytes)

    await sync(database, embedder, Slow([page("a", "2")]))
    assert await find_paths(database) == []


async def test_restoring_what_its_source_no_longer_holds_says_so(database: Database, embedder: Embedder) -> None:
    source, documents = ListedSource([page("a"), page("b")]), Documents(database)
    await sync(database, embedder, source)
    document = (await documents.find_all())[0]
    await documents.remove(document.id)
    source.listed = [page("b")]
    await sync(database, embedder, source)
    with pytest.raises(NotFoundError, match="no longer holds it"):
        await documents.restore(document.id)
    assert await find_paths(database) == ["b.md"]


async def test_a_copy_in_another_source_costs_no_vector_and_is_found_once_each_by_its_own_readers(
    database: Database, embedder: Embedder
) -> None:
    await sync(database, embedder, ListedSource([page("a", rule=PEOPLE)], name="one"))
    report = await sync(database, embedder, ListedSource([page("a")], name="two"))
    search, documents = Search(database, embedder), Documents(database)
    both = await search.search("site a version", ["everyone", "group:people"])
    one = await search.search("site a version", ["everyone"])
    copies = await documents.find_copies((await documents.find_all())[0].id)
    assert (report.embedded, len(both), len(one), [copy.source for copy in copies]) == (0, 1, 1, ["two"])


async def test_a_forgotten_source_is_hidden_and_comes_back_with_its_vectors(
    database: Database, embedder: Embedder
) -> None:
    source = ListedSource([page("a"), Cursor("1")])
    await sync(database, embedder, source)
    assert (await forget_source(database, "service"), await find_paths(database)) == (1, [])
    report = await sync(database, embedder, source)
    assert (report.added, report.embedded) == (1, 0)


async def test_of_two_runs_on_a_source_the_one_that_does_not_wait_does_nothing(
    database: Database, embedder: Embedder
) -> None:
    source = ListedSource([page("a")])
    async with Ledger(database, "service").lock(wait=True):
        await sync(database, embedder, source, wait=False)
    assert source.cursors == []
    assert (await sync(database, embedder, source, wait=False)).added == 1


async def test_a_hundred_thousand_entries_are_listed_in_flat_memory(database: Database, embedder: Embedder) -> None:
    def make(count: int) -> Iterator[Listed]:
        for number in range(count):
            yield Failure(f"pictures/{number}.png", "expected a document") if number else page("a")

    await sync(database, embedder, ListedSource(make(2000), name="small"))
    tracemalloc.start()
    report = await sync(database, embedder, ListedSource(make(100_000)))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (report.added, report.failed_count, len(report.failed)) == (1, 99_999, 1000)
    # All of them at once take more than 30 MB.
    assert peak < 8_000_000


async def test_keeping_up_reads_at_start_and_again(database: Database, embedder: Embedder) -> None:
    broken = ListedSource([InvalidInputError("expected a space")], name="broken")
    source = ListedSource([page("a")])
    keep_up = KeepUp(database, ActiveModel(database, embedder), [broken, source], interval_seconds=0.01)
    await keep_up.start()

    async def is_read_again() -> bool:
        return len(source.cursors) >= 3

    await eventually(is_read_again)
    await keep_up.stop()
    assert (await find_paths(database), len(broken.cursors) >= 2) == (["a.md"], True)


async def test_a_folder_that_is_bare_removes_nothing(
    database: Database, embedder: Embedder, folder: Path, write: Write
) -> None:
    write("leave.md", "# Leave\n\nEmployees get 23 days.\n")
    await ingest(database, embedder, [folder])
    for name in ("leave.md", ".access.json"):
        (folder / name).unlink()
    report = await ingest(database, embedder, [folder])
    assert (report.removed, report.failed_count, len(await find_paths(database))) == (0, 1, 1)


async def test_a_date_counts_at_the_listing_and_reads_nothing(database: Database, embedder: Embedder) -> None:
    may, june = datetime(2026, 5, 3, tzinfo=UTC), datetime(2026, 6, 1, tzinfo=UTC)
    source = ListedSource([replace(page("a"), changed_at=may), page("b")])
    await sync(database, embedder, source)
    first = await Documents(database).find_all()
    source.listed, source.fetched = [replace(page("a"), changed_at=june), page("b")], []
    await sync(database, embedder, source)
    second = await Documents(database).find_all()
    source.listed = [page("a"), page("b")]
    await sync(database, embedder, source)
    third = await Documents(database).find_all()
    assert [one[0].changed_at for one in (first, second, third)] == [may, june, june]
    assert (first[1].changed_at, source.fetched) == (first[1].ingested_at, [])


async def test_what_the_text_says_of_its_date_goes_before_the_source(
    database: Database, embedder: Embedder, folder: Path, write: Write
) -> None:
    write("leave.md", "---\nupdated: 2026-05-03\n---\n# Leave\n\nEmployees get 23 days of leave.\n")
    await ingest(database, embedder, [folder])
    await ingest(database, embedder, [folder])
    assert [one.changed_at for one in await Documents(database).find_all()] == [datetime(2026, 5, 3, tzinfo=UTC)]
