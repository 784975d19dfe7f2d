"""Documents in: what changed and only that, broken files named, removed ones gone at once."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from core.database import Database
from core.errors import InvalidInputError
from core.prompt import Language
from retrieval import preparer, read
from retrieval.chunking import Chunk
from retrieval.documents import Documents
from retrieval.embedding import Embedder
from retrieval.formats.ocr import MISSING, is_installed
from retrieval.ingest import ingest
from retrieval.prepare import PreparedChunk, build_chunk
from retrieval.search import Search
from tests.retrieval.conftest import Write
from tests.retrieval.formats.test_pdf import make_scan
from tests.retrieval.formats.test_zip import pack

LEAVE = "# Leave\n\n## Annual leave\n\nEmployees get 23 days of leave a year.\n\n## Sick leave\n\nCall before nine.\n"


async def test_a_folder_becomes_searchable(database: Database, embedder: Embedder, folder: Path, write: Write) -> None:
    write("hr/leave.md", LEAVE)
    write("hr/휴가.md", "# 휴가 규정\n\n## 연차\n\n직원은 매년 연차 휴가 15일을 받습니다.\n")
    report = await ingest(database, embedder, [folder])
    search = Search(database, embedder)
    found = await search.search("How many days of holiday do I get?", ["everyone"])
    korean = await search.search("연차는 며칠인가요?", ["everyone"])
    assert (report.added, report.failed, report.hidden) == (2, [], 0)
    assert [(found[0].path, found[0].heading_path, found[0].number)] == [("hr/leave.md", "Annual leave", 1)]
    assert korean[0].path == "hr/휴가.md"


async def test_only_the_changed_chunk_is_embedded_again(
    database: Database, embedder: Embedder, folder: Path, write: Write
) -> None:
    write("leave.md", LEAVE)
    await ingest(database, embedder, [folder])
    write("leave.md", LEAVE.replace("23 days", "25 days"))
    report = await ingest(database, embedder, [folder])
    assert (report.updated, report.chunks, report.embedded) == (1, 2, 1)


async def test_an_unchanged_chunk_keeps_its_id(
    database: Database, embedder: Embedder, folder: Path, write: Write
) -> None:
    write("leave.md", LEAVE)
    await ingest(database, embedder, [folder])
    search = Search(database, embedder)
    before = (await search.search("sick call before nine", ["everyone"]))[0]
    write("leave.md", LEAVE.replace("23 days", "25 long days"))
    await ingest(database, embedder, [folder])
    after = (await search.search("sick call before nine", ["everyone"]))[0]
    assert (after.chunk_id, after.document_version, after.start) == (before.chunk_id, 2, before.start + 5)


async def test_unchanged_files_are_not_read_again(
    database: Database, embedder: Embedder, folder: Path, write: Write
) -> None:
    write("leave.md", LEAVE)
    await ingest(database, embedder, [folder])
    report = await ingest(database, embedder, [folder])
    assert (report.added, report.updated, report.unchanged, report.embedded) == (0, 0, 1, 0)


async def test_a_moved_file_keeps_its_vectors(
    database: Database, embedder: Embedder, folder: Path, write: Write
) -> None:
    old = write("leave.md", LEAVE)
    await ingest(database, embedder, [folder])
    old.unlink()
    write("new/leave.md", LEAVE)
    report = await ingest(database, embedder, [folder])
    assert (report.added, report.removed, report.embedded) == (1, 1, 0)
    found = await Search(database, embedder).search("annual leave", ["everyone"], side="dense")
    assert found[0].path == "new/leave.md"


async def test_a_vanished_file_is_invisible_and_comes_back(
    database: Database, embedder: Embedder, folder: Path, write: Write
) -> None:
    location = write("leave.md", LEAVE)
    await ingest(database, embedder, [folder])
    search = Search(database, embedder)
    location.unlink()
    report = await ingest(database, embedder, [folder])
    assert (report.removed, await search.search("annual leave", ["everyone"])) == (1, [])
    write("leave.md", LEAVE)
    report = await ingest(database, embedder, [folder])
    assert (report.added, report.embedded) == (1, 0)
    assert await search.search("annual leave", ["everyone"])


async def test_broken_files_are_named_and_the_rest_goes_in(
    database: Database, embedder: Embedder, folder: Path, write: Write
) -> None:
    write("good.md", LEAVE)
    write("broken.pdf", b"%PDF-1.7 nothing of the kind")
    write("broken.docx", b"PK\x03\x04 nothing of the kind")
    write("binary.txt", b"\x00\x01\x02")
    write("empty.md", "")
    write("picture.png", b"\x89PNG")
    report = await ingest(database, embedder, [folder])
    errors = await Documents(database).find_errors()
    expected = ["binary.txt", "broken.docx", "broken.pdf", "empty.md", "picture.png"]
    assert (report.added, sorted(failure.path for failure in report.failed)) == (1, expected)
    assert [error.path for error in errors] == expected


async def test_a_mended_file_is_no_longer_an_error(
    database: Database, embedder: Embedder, folder: Path, write: Write
) -> None:
    write("leave.md", "")
    await ingest(database, embedder, [folder])
    write("leave.md", LEAVE)
    await ingest(database, embedder, [folder])
    assert await Documents(database).find_errors() == []


async def test_a_file_over_the_limit_is_named(
    database: Database, embedder: Embedder, folder: Path, write: Write
) -> None:
    write("long.txt", "word " * 300)
    report = await ingest(database, embedder, [folder], max_file_bytes=1000)
    assert [failure.reason for failure in report.failed] == ["expected at most 1,000 bytes, got 1,500; split the file"]


async def test_a_broken_new_version_leaves_the_stored_one(
    database: Database, embedder: Embedder, folder: Path, write: Write
) -> None:
    write("leave.txt", LEAVE)
    await ingest(database, embedder, [folder])
    write("leave.txt", b"\x00")
    report = await ingest(database, embedder, [folder])
    assert (len(report.failed), report.removed) == (1, 0)
    assert await Search(database, embedder).search("annual leave", ["everyone"])


async def test_symbolic_links_are_named_and_do_not_loop(
    database: Database, embedder: Embedder, folder: Path, write: Write
) -> None:
    write("hr/leave.md", LEAVE)
    (folder / "hr" / "again").symlink_to(folder)
    report = await ingest(database, embedder, [folder])
    assert (report.added, [failure.path for failure in report.failed]) == (1, ["hr/again"])


async def test_a_missing_folder_changes_nothing(
    database: Database, embedder: Embedder, folder: Path, write: Write
) -> None:
    write("leave.md", LEAVE)
    await ingest(database, embedder, [folder])
    await asyncio.to_thread(folder.rename, folder.with_name("unmounted"))
    with pytest.raises(InvalidInputError, match="is the share mounted"):
        await ingest(database, embedder, [folder])
    assert len(await Documents(database).find_all()) == 1


async def test_two_ingests_at_once_store_each_document_once(
    database: Database, embedder: Embedder, folder: Path, write: Write
) -> None:
    for number in range(6):
        write(f"{number}.md", LEAVE + f"\nShared words and number {number}.\n")
    await asyncio.gather(ingest(database, embedder, [folder]), ingest(database, embedder, [folder]))
    rows = await database.fetch_dicts(
        b"SELECT (SELECT count(*) FROM documents) AS documents, (SELECT count(*) FROM chunks) AS chunks, "
        b"(SELECT sum(chunk_count) FROM documents) AS counted"
    )
    assert rows == [{"documents": 6, "chunks": 12, "counted": 12}]


async def test_a_single_file_joins_the_source_of_its_folder(
    database: Database, embedder: Embedder, folder: Path, write: Write
) -> None:
    location = write("leave.md", LEAVE)
    write("other.md", LEAVE)
    await ingest(database, embedder, [folder])
    write("leave.md", LEAVE.replace("23", "24"))
    report = await ingest(database, embedder, [location])
    assert (report.updated, report.removed, len(await Documents(database).find_all())) == (1, 0, 2)


async def test_progress_counts_every_file(database: Database, embedder: Embedder, folder: Path, write: Write) -> None:
    write("a.md", LEAVE)
    write("b.pdf", b"broken")
    told: list[tuple[int, int, str]] = []
    await ingest(database, embedder, [folder], on_progress=lambda *told_now: told.append(told_now))
    assert sorted(told) == [(1, 2, "b.pdf"), (2, 2, "a.md")]


async def test_an_interrupted_ingest_keeps_what_it_stored_and_goes_on(
    database: Database, embedder: Embedder, folder: Path, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(read, "_CHUNKS_PER_BATCH", 1)
    for name in ("a.md", "b.md"):
        write(name, LEAVE + name)

    def interrupt(done: int, total: int, path: str) -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError):
        await ingest(database, embedder, [folder], on_progress=interrupt)
    report = await ingest(database, embedder, [folder])
    assert (report.unchanged, report.added) == (1, 1)


async def test_what_the_database_cannot_hold_is_named_and_the_rest_of_its_batch_goes_in(
    database: Database, embedder: Embedder, folder: Path, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    def build(title: str, chunk: Chunk, language: Language, terms: dict[str, int]) -> PreparedChunk:
        built = build_chunk(title, chunk, language, terms)
        return replace(built, terms={"\x00": 1}) if "second" in chunk.text else built

    monkeypatch.setattr(preparer, "build_chunk", build)
    for name in ("first", "second", "third"):
        write(f"{name}.md", f"The {name} of three documents.")
    report = await ingest(database, embedder, [folder])
    assert (report.added, [one.path for one in report.failed]) == (2, ["second.md"])
    assert "cannot be stored" in report.failed[0].reason
    assert [one.path for one in await Documents(database).find_all()] == ["first.md", "third.md"]


async def test_another_way_of_cutting_reads_again_and_keeps_equal_vectors(
    database: Database, embedder: Embedder, folder: Path, write: Write
) -> None:
    write("leave.md", LEAVE)
    await ingest(database, embedder, [folder])
    report = await ingest(database, embedder, [folder], max_tokens=100)
    rows = await database.fetch_dicts(
        b"SELECT count(DISTINCT chunks.id) AS chunks, count(DISTINCT embeddings.chunk_id) AS embedded "
        b"FROM chunks JOIN embeddings ON chunk_id = chunks.id"
    )
    assert (report.updated, report.embedded) == (1, 0)
    assert rows == [{"chunks": 2, "embedded": 2}]


async def test_a_broken_member_is_named_until_its_archive_changes(
    database: Database, embedder: Embedder, folder: Path, write: Write
) -> None:
    write("policies.zip", pack({"leave.md": LEAVE.encode(), "broken.pdf": b"%PDF"}))
    reports = [await ingest(database, embedder, [folder]) for _ in range(2)]
    errors = await Documents(database).find_errors()
    assert [(report.added, len(report.failed)) for report in reports] == [(1, 1), (0, 0)]
    assert [error.path for error in errors] == ["policies.zip!/broken.pdf"]
    found = await Search(database, embedder).search("annual leave", ["everyone"])
    assert (found[0].path, found[0].heading_path) == ("policies.zip", "leave.md > Leave > Annual leave")
    write("policies.zip", pack({"leave.md": LEAVE.encode()}))
    await ingest(database, embedder, [folder])
    assert await Documents(database).find_errors() == []


async def test_a_scan_is_read_again_once_text_recognition_is_there(
    database: Database, embedder: Embedder, folder: Path, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not is_installed():
        pytest.skip(MISSING)
    write("scan.pdf", make_scan())
    with monkeypatch.context() as without:
        without.setenv("PATH", "")
        reports = [await ingest(database, embedder, [folder]) for _ in range(2)]
    reports.append(await ingest(database, embedder, [folder]))
    assert [(report.added, report.unchanged, report.updated) for report in reports] == [(1, 0, 0), (0, 1, 0), (0, 0, 1)]
    found = await Search(database, embedder).search("meals paid", ["everyone"])
    assert "40,000 won" in found[0].text and await Documents(database).find_errors() == []
