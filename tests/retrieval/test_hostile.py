"""Files that people do leave in folders: each is named with its reason, the rest goes in, and no process grows."""

import os
import re
from pathlib import Path

import pytest

from core.database import Database
from core.errors import InvalidInputError
from retrieval.documents import Documents
from retrieval.embedding import Embedder
from retrieval.ingest import ingest
from retrieval.preparer import Preparer
from tests.retrieval.conftest import Write
from tests.retrieval.formats.test_pdf import make_pdf, make_raw_pdf
from tests.retrieval.formats.test_zip import pack

LEAVE = "# Leave\n\nEmployees get 23 days of leave a year.\n"
TWO_GIGABYTES = 2_000_000_000
PAGE = "BT /F 11 Tf 72 700 Td (Page head) Tj 0 -20 Td (Employees get leave.) Tj 0 -20 Td (Page foot) Tj ET"


def read_peak_mib(process_id: int) -> float:
    """Largest resident memory of a process so far."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{process_id}/status").read_text())
    assert found is not None
    return int(found[1]) / 1024


async def test_each_bad_file_is_named_and_the_rest_goes_in(
    database: Database, embedder: Embedder, folder: Path, write: Write
) -> None:
    write("a/first.md", LEAVE)
    os.truncate(write("b/huge.txt", b""), TWO_GIGABYTES)
    write("b/bomb.zip", pack({"zeros.txt": b" " * 20_000_000}))
    write("b/locked.pdf", make_pdf(password="secret"))
    write("b/torn.pdf", make_pdf()[:2000])
    write("b/binary.md", b"\x00\x01")
    (folder / "b" / "circle").symlink_to(folder / "b")
    write("z/last.md", LEAVE.replace("23", "24"))
    report = await ingest(database, embedder, [folder])
    reasons = {
        "b/binary.md": "expected text, got a binary file",
        "b/bomb.zip": "more than 200 times; it is not read",
        "b/circle": "a symbolic link; ingest what it points to instead",
        "b/huge.txt": "expected at most 50,000,000 bytes, got 2,000,000,000; split the file",
        "b/locked.pdf": "the PDF is encrypted; save it without a password",
        "b/torn.pdf": "the PDF is broken; open it in a viewer and print it again",
    }
    assert {one.path: reasons.get(one.path, "none") in one.reason for one in report.failed} == dict.fromkeys(
        reasons, True
    )
    assert [one.path for one in await Documents(database).find_all()] == ["a/first.md", "z/last.md"]


@pytest.mark.skipif(not Path("/proc").exists(), reason="reads memory from /proc")
def test_the_longest_pdf_is_read_in_bounded_memory(embedder: Embedder) -> None:
    with Preparer(embedder, max_tokens=200) as preparer:
        document, left_out = preparer.prepare(make_raw_pdf(PAGE, pages=5000), "long.pdf")
        assert preparer._reader and preparer._reader._process
        peak_mib = read_peak_mib(preparer._reader._process.pid)
    assert (document.text.count("Employees get leave."), left_out) == (5000, [])
    assert peak_mib < 400


@pytest.mark.skipif(not Path("/proc").exists(), reason="reads memory from /proc")
def test_a_bomb_is_refused_before_it_is_unpacked(embedder: Embedder) -> None:
    with Preparer(embedder, max_tokens=200) as preparer:
        preparer.prepare(LEAVE.encode(), "leave.md")
        assert preparer._reader and preparer._reader._process
        before_mib = read_peak_mib(preparer._reader._process.pid)
        with pytest.raises(InvalidInputError, match="unpacks to 300,000,000 bytes"):
            preparer.prepare(pack({"zeros.txt": b" " * 300_000_000}), "bomb.zip")
        assert read_peak_mib(preparer._reader._process.pid) - before_mib < 50
