"""How many chunks a second of one core OpenVINO encodes, and torch beside it, in alternated rounds on the same chunks.

    python -m benchmarks.document_encoders [FOLDER]

Chunks are of the Markdown files of the folder (the sample handbook), cut as an ingest cuts them. Processor time of the
whole process, so other jobs disturb less; the model is loaded and OpenVINO's copy of it made before.
"""

import asyncio
import time
from pathlib import Path

import click

from benchmarks.machine import read_conditions
from retrieval.embedding import Backend, Embedder
from retrieval.ingest import MAX_TOKENS
from retrieval.prepare import prepare

_SAMPLE = Path(__file__).parents[1] / "sample" / "handbook"
_BACKENDS: tuple[Backend, ...] = ("torch", "openvino")


@click.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path), default=_SAMPLE)
@click.option("--chunks", default=256, show_default=True, help="At most.")
@click.option("--rounds", default=3, show_default=True)
def main(folder: Path, chunks: int, rounds: int) -> None:
    """Measure and print."""
    click.echo(read_conditions(0).line())
    asyncio.run(_measure(folder, chunks, rounds))


async def _measure(folder: Path, most: int, rounds: int) -> None:
    embedders = [Embedder(backend=backend) for backend in _BACKENDS]
    await asyncio.gather(*(embedder.load() for embedder in embedders))
    texts = _cut(folder, embedders[0])[:most]
    made = [await embedder.embed(texts) for embedder in embedders]
    click.echo(f"{len(texts)} chunks; least cosine {(made[0] * made[1]).sum(axis=1).min():.7f}")
    for _ in range(rounds):
        for embedder in embedders:
            began = time.process_time()
            await embedder.embed(texts)
            click.echo(f"{embedder.backend:<10}{len(texts) / (time.process_time() - began):6.1f} chunks/s a core")
    for embedder in embedders:
        embedder.close()


def _cut(folder: Path, embedder: Embedder) -> list[str]:
    texts: list[str] = []
    for location in sorted(folder.rglob("*.md")):
        document = prepare(
            location.read_bytes(), location.name, count_tokens=embedder.count_tokens, max_tokens=MAX_TOKENS
        )
        texts += [chunk.embedded_text for chunk in document.chunks if chunk.language in embedder.languages]
    return texts


if __name__ == "__main__":
    main()
