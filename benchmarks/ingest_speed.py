"""How much of the encoder's own speed an ingest keeps: files in, parsed, cut, embedded and stored.

The floor is the bare encoding of the same chunks by the same encoder in the same run, before and after; beside it
sentence-transformers' own `encode` at its defaults. Then the parts alone: cutting by tokens, PDF pages, Korean terms.
A query is embedded every 50 ms while a smaller ingest runs. Memory is compared over corpora that are stored for their
words only, so that they can be larger.

Rates by the wall depend on who else uses the machine; so each is also given by processor time (`_per_core`: a second of
one core, the child that reads files and PostgreSQL included), and shares compare what was measured within one run.

    python -m benchmarks.ingest_speed                                  # about two minutes, text made up
    python -m benchmarks.ingest_speed --dataset DIR --chunks 512       # DIR/corpus.jsonl: {id, title, text}
"""

import asyncio
import json
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import click
import numpy as np
import pypdfium2  # pyright: ignore[reportMissingTypeStubs]
import torch
from rich.console import Console

if not __package__:  # run as a file: the checkout is not on the path
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.ingest_workload import (
    Clock,
    Used,
    build_korean,
    build_pdf,
    forget_peak_memory,
    iterate_documents,
    read_children_peak_mib,
    read_peak_mib,
)
from benchmarks.machine import read_conditions
from benchmarks.scratch_database import open_embedded
from core.database import Database
from core.migrate import migrate
from retrieval.chunking import lay_out, split_into_chunks
from retrieval.embedding import Backend, Embedder
from retrieval.formats.pdf import extract_pdf
from retrieval.formats.registry import extract
from retrieval.ingest import MAX_TOKENS, ingest
from retrieval.lexical import find_terms, warm_up
from retrieval.prepare import prepare

GROWTH = 4
QUERY_EVERY_SECONDS = 0.05
WATCH_EVERY_SECONDS = 0.5
PDF_PAGES = 60
PDF_ROUNDS = 4
MEMORY_DOCUMENTS = (250, 1500)
CUT_BYTES = 2_000_000
KOREAN_CHARACTERS = 40_000
QUESTION = "How many days of parental leave do employees get?"


@dataclass(slots=True)
class Corpus:
    """Documents up to a number of chunks, and what the encoder sees of them."""

    documents: list[str] = field(default_factory=list[str])
    chunks: list[str] = field(default_factory=list[str])

    @property
    def megabytes(self) -> float:
        """Of all documents, in UTF-8."""
        return sum(len(document.encode()) for document in self.documents) / 1e6

    def write(self, folder: Path) -> Path:
        """As a folder of Markdown files."""
        folder.mkdir()
        for number, document in enumerate(self.documents):
            (folder / f"{number:06}.md").write_text(document)
        return folder


def draw_corpora(embedder: Embedder, dataset: Path | None, seed: int, sizes: Sequence[int]) -> list[Corpus]:
    """Corpora without a document in common, each of at least so many chunks."""
    source = iterate_documents(dataset, seed)
    corpora: list[Corpus] = []
    for size in sizes:
        corpus = Corpus()
        while len(corpus.chunks) < size:
            document = next(source, None)
            if document is None:
                raise SystemExit(f"expected at least {sum(sizes)} chunks in the set, got fewer; lower --chunks")
            prepared = prepare(document.encode(), "a.md", count_tokens=embedder.count_tokens, max_tokens=MAX_TOKENS)
            corpus.documents.append(document)
            corpus.chunks += [chunk.embedded_text for chunk in prepared.chunks]
        corpora.append(corpus)
    return corpora


async def time_ingest(database: Database, embedder: Embedder, folder: Path) -> tuple[Used, int, int]:
    """What it used, chunks that were stored, peak memory in MiB."""
    forget_peak_memory()
    with Clock(database.url) as clock:
        report = await ingest(database, embedder, [folder], default_allow=["everyone"])
    if report.failed or (embedder.languages and report.chunks != report.embedded):
        raise SystemExit(f"expected every chunk embedded, got {report.embedded} of {report.chunks}: {report.failed}")
    return clock.used, report.chunks, read_peak_mib()


async def watch_children() -> int:
    """Peak memory of children until cancelled."""
    peak_mib = 0
    with suppress(asyncio.CancelledError):
        while True:
            peak_mib = max(peak_mib, await asyncio.to_thread(read_children_peak_mib))
            await asyncio.sleep(WATCH_EVERY_SECONDS)
    return peak_mib


async def time_bare(embedder: Embedder, chunks: Sequence[str]) -> Used:
    """The floor: all chunks in one call, so sorted by length over the whole of them."""
    with Clock() as clock:
        await embedder.embed(chunks)
    return clock.used


def time_sentence_transformers(embedder: Embedder, chunks: Sequence[str]) -> Used:
    """Its own `encode` at its defaults: float32 weights or what the encoder has, torch's number of threads."""
    model = embedder._get_model()  # pyright: ignore[reportPrivateUsage]  the same weights, once in memory
    before = torch.get_num_threads()
    torch.set_num_threads(read_conditions(0).cores)
    with Clock() as clock:
        model.encode(list(chunks))
    torch.set_num_threads(before)
    return clock.used


async def ask(embedder: Embedder, milliseconds: list[float]) -> None:
    """Embed a question every so often until cancelled."""
    while True:
        began = time.perf_counter()
        await embedder.embed_query(QUESTION)
        milliseconds.append((time.perf_counter() - began) * 1000)
        await asyncio.sleep(QUERY_EVERY_SECONDS)


async def time_queries(embedder: Embedder, work: Any) -> tuple[Any, list[float]]:
    """The work's result, and how long each question took meanwhile."""
    milliseconds: list[float] = []
    asking = asyncio.create_task(ask(embedder, milliseconds))
    try:
        result = await work
    finally:
        asking.cancel()
        with suppress(asyncio.CancelledError):
            await asking
    return result, milliseconds


def measure_cutting(embedder: Embedder, documents: Sequence[str]) -> dict[str, float]:
    """MB/s of a core: cutting by tokens with words known and with none known; the bare tokenizer beside it."""
    laid_out = [lay_out(extract(document.encode(), "a.md").blocks) for document in documents]
    megabytes = sum(len(text.encode()) for text, _ in laid_out) / 1e6
    rounds = max(round(CUT_BYTES / 1e6 / megabytes), 1)

    def cut(counter: Embedder) -> None:
        for text, spans in laid_out:
            split_into_chunks(text, spans, title="", count_tokens=counter.count_tokens, max_tokens=MAX_TOKENS)

    fresh = Embedder()
    fresh.count_tokens([""])
    with Clock() as cold:
        cut(fresh)
    fresh.close()
    with Clock() as warm:
        for _ in range(rounds):
            cut(embedder)
    tokenizer = embedder._get_model().tokenizer.backend_tokenizer  # pyright: ignore[reportPrivateUsage]
    with Clock() as bare:
        tokenizer.encode_batch_fast([text for text, _ in laid_out], add_special_tokens=False)
    return {
        "cut_mb_per_core_second": megabytes * rounds / warm.used.processor,
        "cut_cold_mb_per_core_second": megabytes / cold.used.processor,
        "tokenizer_mb_per_core_second": megabytes / bare.used.processor,
    }


def measure_pdf(text: str) -> dict[str, float]:
    """Pages a second of a core into blocks, and by the bare library into text; the best of a few rounds."""
    content = build_pdf(text, PDF_PAGES)
    ours: list[float] = []
    bare: list[float] = []
    for _ in range(PDF_ROUNDS):
        with Clock() as clock:
            extract_pdf(content, "a.pdf")
        ours.append(clock.used.processor)
        with Clock() as clock:
            document: Any = pypdfium2.PdfDocument(content)
            for page in document:
                page.get_textpage().get_text_bounded()
        bare.append(clock.used.processor)
    return {
        "pdf_pages_per_core_second": PDF_PAGES / min(ours),
        "pypdfium2_pages_per_core_second": PDF_PAGES / min(bare),
    }


def measure_korean() -> dict[str, float]:
    """Characters a second of a core into terms."""
    warm_up()
    texts = build_korean(KOREAN_CHARACTERS)
    with Clock() as clock:
        for text in texts:
            find_terms(text)
    return {"korean_characters_per_core_second": sum(map(len, texts)) / clock.used.processor}


async def measure_memory(url: str, dataset: Path | None, seed: int, folder: Path) -> dict[str, float]:
    """Peak memory of this process and of the child that reads, for two corpora, one six times the other."""
    words_only = Embedder(languages=())
    await words_only.load()
    figures: dict[str, float] = {}
    try:
        async with Database(url) as database:
            for name, size in zip(("small", "large"), MEMORY_DOCUMENTS, strict=True):
                documents = islice(iterate_documents(dataset, seed + 1), size)
                corpus = Corpus([f"{document}\n{name}\n" for document in documents])
                written = corpus.write(folder / f"memory-{name}")
                # Only here: to look through all processes takes longer than to read a document.
                watching = asyncio.create_task(watch_children())
                _, chunks, peak = await time_ingest(database, words_only, written)
                watching.cancel()
                figures |= {
                    f"memory_chunks_{name}": chunks,
                    f"peak_mib_{name}": peak,
                    f"peak_mib_reader_{name}": await watching,
                }
    finally:
        words_only.close()
    return figures


async def measure_ingest(url: str, embedder: Embedder, corpora: Sequence[Corpus], folder: Path) -> dict[str, float]:
    """Questions beside an ingest, then speed between two rounds of the floor."""
    beside, large = corpora
    async with Database(url) as database:
        await migrate(database)
        _, quiet = await time_queries(embedder, asyncio.sleep(3))
        _, busy = await time_queries(embedder, time_ingest(database, embedder, beside.write(folder / "beside")))
        before = await time_bare(embedder, large.chunks)
        used, count, peak_mib = await time_ingest(database, embedder, large.write(folder / "large"))
        after = await time_bare(embedder, large.chunks)
    library = await asyncio.to_thread(time_sentence_transformers, embedder, large.chunks)
    bare_processor, bare_wall = (before.processor + after.processor) / 2, (before.wall + after.wall) / 2
    return {
        "ingest_chunks_per_second": count / used.wall,
        "ingest_mb_per_second": large.megabytes / used.wall,
        "bare_chunks_per_second": count / bare_wall,
        "sentence_transformers_chunks_per_second": count / library.wall,
        "ingest_to_bare": bare_wall / used.wall,
        "ingest_to_sentence_transformers": library.wall / used.wall,
        "ingest_chunks_per_core_second": count / (used.processor + used.postgres),
        "bare_chunks_per_core_second": count / bare_processor,
        "sentence_transformers_chunks_per_core_second": count / library.processor,
        "ingest_to_bare_by_processor_time": bare_processor / (used.processor + used.postgres),
        "ingest_to_sentence_transformers_by_processor_time": library.processor / (used.processor + used.postgres),
        "postgres_share_of_processor_time": used.postgres / (used.processor + used.postgres),
        "chunks": count,
        "peak_mib": peak_mib,
        "query_p50_ms_quiet": float(np.percentile(quiet, 50)),
        "query_p95_ms_quiet": float(np.percentile(quiet, 95)),
        "query_p50_ms_during_ingest": float(np.percentile(busy, 50)),
        "query_p95_ms_during_ingest": float(np.percentile(busy, 95)),
    }


@click.command(help=__doc__ and __doc__.split("\n\n    ", maxsplit=1)[0])
@click.option("--dataset", type=click.Path(exists=True, file_okay=False, path_type=Path), help="Holds corpus.jsonl.")
@click.option("--chunks", default=64, show_default=True, help="Beside questions; four times that for speed.")
@click.option(
    "--backend", default="torch", show_default=True, type=click.Choice(["torch", "openvino"]), help="Encodes documents."
)
@click.option("--seed", default=1, show_default=True, help="Of the draw of documents, or of their text.")
@click.option("--json-only", is_flag=True, help="Only the JSON object, which is the last line otherwise.")
def main(dataset: Path | None, chunks: int, backend: Backend, seed: int, json_only: bool) -> None:
    """Measure, print."""
    console = Console(quiet=json_only, width=120)
    conditions = read_conditions(seed)
    console.print(conditions.line())
    embedder = Embedder(backend=backend)
    try:
        corpora = draw_corpora(embedder, dataset, seed, [chunks, chunks * GROWTH])
        documents = [document for corpus in corpora for document in corpus.documents]
        figures = measure_cutting(embedder, documents) | measure_pdf(" ".join(documents)) | measure_korean()
        with open_embedded() as url, tempfile.TemporaryDirectory(prefix="nightbake-benchmark-") as folder:
            figures |= asyncio.run(measure_ingest(url, embedder, corpora, Path(folder)))
            figures |= asyncio.run(measure_memory(url, dataset, seed, Path(folder)))
    finally:
        embedder.close()
    for name, value in figures.items():
        console.print(f"{name.replace('_', ' '):55}{value:12,.2f}")
    rounded = {name: round(value, 3) for name, value in figures.items()}
    print(
        json.dumps(
            {**rounded, "backend": backend, "dataset": dataset.name if dataset else "made up", **asdict(conditions)}
        )
    )


if __name__ == "__main__":
    main()
