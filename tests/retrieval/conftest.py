"""One embedding model for all tests of the room, and a folder of documents to ingest."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from retrieval.embedding import Embedder

Write = Callable[[str, str | bytes], Path]


@pytest.fixture(scope="session")
def embedder() -> Iterator[Embedder]:
    """The model of the package, loaded once a test process."""
    embedder = Embedder()
    yield embedder
    embedder.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An empty folder of documents that everyone may read."""
    folder = tmp_path / "documents"
    folder.mkdir()
    (folder / ".access.json").write_text(json.dumps({"allow": ["everyone"]}))
    return folder


@pytest.fixture
def write(folder: Path) -> Write:
    """Write a file below the folder."""

    def write(path: str, content: str | bytes) -> Path:
        location = folder / path
        location.parent.mkdir(parents=True, exist_ok=True)
        location.write_bytes(content.encode() if isinstance(content, str) else content)
        return location

    return write
