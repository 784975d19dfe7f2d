"""Mutated documents of every type in the child that reads them, and mutated lists of lines: a reason, never a crash."""

import io
import json
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import openpyxl
import pytest
from PIL import Image
from pptx import Presentation

from bot.examples import load_examples
from bot.golden import load_golden
from core.errors import InvalidInputError, SettingsError
from learning.general import read_general
from retrieval.evaluate_dataset import read_dataset
from retrieval.formats.reader import Reader
from retrieval.sources.config import load_sources
from tests.retrieval.formats import test_eml, test_hwp, test_hwpx, test_pdf, test_zip
from tests.security.mutation import SEED, mutate_bytes, read_memory_mib

ROOT = Path(__file__).parents[2]
DOCUMENT_CASES, FILE_CASES = 15_000, 10_000
SLOWEST_SECONDS = 20.0
MOST_MIB = 900


def make_seeds() -> dict[str, list[bytes]]:
    """Documents by suffix: the sample's, and small ones of the types that it has none of."""
    seeds: dict[str, list[bytes]] = {}
    for file in sorted((ROOT / "sample" / "handbook").rglob("*.*")):
        if file.suffix != ".json":
            seeds.setdefault(file.suffix, []).append(file.read_bytes())
    seeds[".pdf"] += [test_pdf.make_pdf(), test_pdf.make_raw_pdf("BT (x) Tj ET")]
    seeds[".csv"] = ["이름,값\n주차,3\n".encode(), b"a;b\n1;2\n"]
    seeds[".txt"] = ["휴가는 23일입니다.\n".encode() * 20, "휴가".encode("cp949")]
    seeds[".eml"] = [test_eml.make_message().as_bytes()]
    seeds[".zip"] = [test_zip.pack({"a.md": b"# A\n\nText.", "b.html": b"<p>x</p>", "c/d.csv": b"a,b\n1,2"})]
    seeds[".hwp"], seeds[".hwpx"] = [test_hwp.build(b"")], [test_hwpx.build("<hs:sec/>")]
    for suffix, save in ((".xlsx", _make_sheet), (".pptx", _make_slides), (".png", _make_picture)):
        seeds[suffix] = [save()]
    return seeds


def _make_sheet() -> bytes:
    book, buffer = openpyxl.Workbook(), io.BytesIO()
    assert book.active
    for row in (("what", "days"), ("leave", 23), ("=1+1", 0.5)):
        book.active.append(row)
    book.save(buffer)
    return buffer.getvalue()


def _make_slides() -> bytes:
    slides, buffer = Presentation(), io.BytesIO()
    slide = slides.slides.add_slide(slides.slide_layouts[1])
    assert slide.shapes.title
    slide.shapes.title.text = "Leave"
    slides.save(buffer)
    return buffer.getvalue()


def _make_picture() -> bytes:
    buffer = io.BytesIO()
    Image.new("L", (40, 20), 255).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.mark.timeout(3600)
def test_a_document_is_read_or_refused_with_a_reason(thoroughness: float) -> None:
    seeds, source = make_seeds(), random.Random(SEED)
    suffixes, outcomes = sorted(seeds), Counter[str]()
    peak = 0.0
    with Reader(cpu_seconds=20) as reader:
        for number in range(int(DOCUMENT_CASES * thoroughness)):
            suffix = suffixes[number % len(suffixes)]
            content = mutate_bytes(source.choice(seeds[suffix]), source, most=source.choice((1, 3, 30)))
            began = time.monotonic()
            try:
                reader.read(content, f"{number}{suffix}")
                outcomes["read"] += 1
            except InvalidInputError as error:
                assert str(error)
                outcomes["parser failed" if "cannot be read as" in str(error) else "refused"] += 1
            assert time.monotonic() - began < SLOWEST_SECONDS, f"case {number}, {suffix}"
            if reader._process and number % 50 == 0 and reader._process.poll() is None:
                peak = max(peak, read_memory_mib(reader._process.pid))
    print(f"{sum(outcomes.values())} documents, seed {SEED}: {dict(outcomes)}, child at most {peak:.0f} MiB")
    assert outcomes["read"] and outcomes["refused"] and peak < MOST_MIB


Load = Callable[[Path], object]


@pytest.fixture
def loaders(tmp_path: Path) -> Iterator[list[tuple[str, bytes, Load]]]:
    """What reads a file of lines that people hand in, each with a good one."""
    golden = (ROOT / "sample" / "golden.jsonl").read_bytes().splitlines()
    chat = {"messages": [{"role": "user", "content": "Hi?"}, {"role": "assistant", "content": "Hello."}]}
    example = {"question": "How many days?", "answer": "23 days."}
    corpus = {"id": "d1", "title": "Leave", "text": "23 days."}
    query = {"id": "q1", "text": "days?", "relevant_ids": ["d1"]}

    def read_both(file: Path) -> object:
        (tmp_path / "corpus.jsonl").write_text(json.dumps(corpus))
        (tmp_path / "queries.jsonl").write_bytes(file.read_bytes())
        return read_dataset(tmp_path)

    sources = b'[handbook]\nkind = "folder"\npath = "/tmp"\nallow = ["everyone"]\n'
    yield [
        ("golden.jsonl", b"\n".join(golden[:3]), load_golden),
        ("examples.jsonl", json.dumps(example).encode(), load_examples),
        ("general.jsonl", json.dumps(chat).encode(), lambda file: read_general([file])),
        ("queries", json.dumps(query).encode(), read_both),
        ("sources.toml", sources, lambda file: load_sources(file, {})),
    ]


@pytest.mark.timeout(1800)
def test_a_file_of_lines_is_taken_or_refused_with_a_reason(
    loaders: list[tuple[str, bytes, Load]], tmp_path: Path, thoroughness: float
) -> None:
    source, outcomes = random.Random(SEED), Counter[str]()
    for number in range(int(FILE_CASES * thoroughness)):
        name, good, load = loaders[number % len(loaders)]
        file = tmp_path / name
        file.write_bytes(mutate_bytes(good, source, most=source.choice((1, 2, 10))))
        try:
            load(file)
            outcomes["taken"] += 1
        except (InvalidInputError, SettingsError) as error:
            assert str(error)
            outcomes["refused"] += 1
    print(f"{sum(outcomes.values())} files, seed {SEED}: {dict(outcomes)}")
    assert outcomes["taken"] and outcomes["refused"]
