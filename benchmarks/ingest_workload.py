"""What `ingest_speed` reads in, and the clocks it reads: processor time of this process and of PostgreSQL."""

import json
import os
import random
import re
import resource
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
from fpdf import FPDF

from benchmarks.machine import ROOT

WORDS_PER_PARAGRAPH = 90
PARAGRAPHS_PER_DOCUMENT = 3
_TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
_PEAK = re.compile(r"VmHWM:\s+(\d+) kB")
_KOREAN = (
    "직원은 매년 연차 휴가 15일을 받으며 사용하지 않은 휴가는 다음 해로 넘어가지 않습니다. "
    "출장비는 영수증과 함께 30일 안에 신청해야 하고 부서장이 승인합니다. "
    "재택근무는 일주일에 이틀까지 할 수 있으며 보안 규정 제3조를 따라야 합니다. "
)


@dataclass(frozen=True, slots=True)
class Used:
    """What a piece of work took, in seconds; `processor` is of this process and of its children that ended,
    `postgres` of all the server's."""

    wall: float
    processor: float
    postgres: float = 0.0


class Clock:
    """Times a block: `with clock: …`, then `clock.used`."""

    def __init__(self, database_url: str | None = None) -> None:
        self._postmaster = _find_postmaster(database_url) if database_url else None
        self.used = Used(0, 0)

    def __enter__(self) -> "Clock":
        self._began = time.perf_counter(), _read_processor(), self._read_postgres()
        return self

    def __exit__(self, *_: object) -> None:
        now = time.perf_counter(), _read_processor(), self._read_postgres()
        self.used = Used(*(end - start for start, end in zip(self._began, now, strict=True)))

    def _read_postgres(self) -> float:
        """Of the server, its processes and those of them that ended; `/proc/PID/stat`, fields 4 and 14 to 17."""
        ticks = 0
        for path in Path("/proc").glob("[0-9]*/stat") if self._postmaster else ():
            try:
                fields = path.read_text().rpartition(")")[2].split()
            except OSError:
                continue  # it ended meanwhile
            if path.parent.name == str(self._postmaster):
                ticks += sum(map(int, fields[11:15]))
            elif fields[1] == str(self._postmaster):
                ticks += sum(map(int, fields[11:13]))
        return ticks / _TICKS_PER_SECOND


def _read_processor() -> float:
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def _find_postmaster(url: str) -> int:
    with psycopg.connect(url) as connection:
        row = connection.execute("SELECT current_setting('data_directory')").fetchone()
    assert row is not None
    return int((Path(row[0]) / "postmaster.pid").read_text().split()[0])


def forget_peak_memory() -> None:
    """Let the peak begin anew at what is in use now (Linux)."""
    Path("/proc/self/clear_refs").write_text("5")


def read_peak_mib() -> int:
    """Largest resident memory of this process since the peak was forgotten, in MiB."""
    found = _PEAK.search(Path("/proc/self/status").read_text())
    assert found is not None
    return round(int(found[1]) / 1024)


def read_children_peak_mib() -> int:
    """Largest resident memory so far of this process' children that are running, in MiB (Linux)."""
    peaks = [0]
    for path in Path("/proc").glob("[0-9]*/status"):
        try:
            status = path.read_text()
        except OSError:
            continue  # it ended meanwhile
        if f"PPid:\t{os.getpid()}\n" in status and (found := _PEAK.search(status)):
            peaks.append(round(int(found[1]) / 1024))
    return max(peaks)


def iterate_documents(dataset: Path | None, seed: int) -> Iterator[str]:
    """Documents as Markdown, shuffled by the seed: the set's, or endless ones of words of this project's docs."""
    chance = random.Random(seed)
    if dataset:
        with (dataset / "corpus.jsonl").open() as lines:
            rows = [json.loads(line) for line in lines]
        chance.shuffle(rows)
        yield from (f"# {row['title']}\n\n{row['text']}\n" for row in rows)
        return
    words = [
        word for path in sorted((ROOT / "docs").glob("*.md")) for word in re.findall("[A-Za-z]+", path.read_text())
    ]
    number = 0
    while True:
        number += 1
        paragraphs = (
            " ".join(chance.choices(words, k=WORDS_PER_PARAGRAPH)) + "." for _ in range(PARAGRAPHS_PER_DOCUMENT)
        )
        yield f"# Document {number}\n\n" + "\n\n".join(paragraphs) + "\n"


def build_pdf(text: str, pages: int) -> bytes:
    """A PDF of headings and plain paragraphs, about 450 words a page."""
    pdf = FPDF()
    words = text.split()
    for page in range(pages):
        pdf.add_page()
        pdf.set_font("Helvetica", "B", 16)
        pdf.cell(0, 12, f"Section {page + 1}", new_x="LMARGIN", new_y="NEXT")
        pdf.set_font("Helvetica", size=11)
        for paragraph in range(5):
            start = (page * 450 + paragraph * 90) % max(len(words) - 90, 1)
            body = " ".join(words[start : start + 90]).encode("latin-1", "replace").decode("latin-1")
            pdf.multi_cell(0, 6, body, new_x="LMARGIN", new_y="NEXT")
            pdf.ln(4)
    return bytes(pdf.output())


def build_korean(characters: int) -> list[str]:
    """Korean texts of about a chunk's length."""
    return [_KOREAN * 3] * max(characters // (len(_KOREAN) * 3), 1)
