"""Reading and cutting in a child process: the same document as in this one, and what ends the child costs one file."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.errors import InvalidInputError
from retrieval.embedding import Embedder
from retrieval.formats.blocks import LeftOut
from retrieval.formats.reader import PROJECT, Reader
from retrieval.prepare import prepare
from retrieval.preparer import Preparer
from tests.retrieval.formats.test_zip import pack

LEAVE = (
    "# Leave\n\nEmployees get 23 days of leave a year.\n\n## 휴가\n\n직원은 매년 연차 휴가 15일을 받는다.\n\n".encode()
)
# Stands for a parser that a file has taken over: its second line is not a chunk.
LYING = """
import json, sys
sys.stdin.buffer.readline()
asked = json.loads(sys.stdin.buffer.readline())
sys.stdin.buffer.read(asked["bytes"])
head = {"title": "t", "language": "en", "recipe": "r", "text": "x", "left_out": [], "more": 2}
print(json.dumps(head)); print(json.dumps({"place": 7})); print(json.dumps({})); sys.stdout.flush()
sys.stdin.read()
"""


@pytest.fixture
def preparer(embedder: Embedder) -> Iterator[Preparer]:
    with Preparer(embedder, max_tokens=50) as preparer:
        yield preparer


def test_a_document_is_what_it_would_be_in_this_process(embedder: Embedder, preparer: Preparer) -> None:
    content = LEAVE * 20
    document, left_out = preparer.prepare(content, "leave.md")
    assert document == prepare(content, "leave.md", count_tokens=embedder.count_tokens, max_tokens=50)
    assert (len(document.chunks) > 20, left_out) == (True, [])


def test_parts_that_cannot_be_read_are_named(preparer: Preparer) -> None:
    document, left_out = preparer.prepare(pack({"leave.md": LEAVE, "broken.pdf": b"%PDF"}), "all.zip")
    reason = "the PDF is broken; open it in a viewer and print it again"
    assert (len(document.chunks), left_out) == (2, [LeftOut("broken.pdf", reason)])


def test_a_file_that_cannot_be_read_is_an_error_and_the_next_is_read(preparer: Preparer) -> None:
    with pytest.raises(InvalidInputError, match="expected some text, got an empty document"):
        preparer.prepare(b" \n", "a.md")
    assert preparer.prepare(b"# Words", "b.md")[0].title == "Words"


def test_an_answer_of_another_form_is_one_broken_file(
    preparer: Preparer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "lying.py").write_text(LYING)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    preparer._reader = Reader(child="lying", greeting={})
    with pytest.raises(InvalidInputError, match="broke its parser"):
        preparer.prepare(b"words", "a.txt")
    assert preparer._reader._process is None


def test_an_ended_preparer_starts_no_child(embedder: Embedder) -> None:
    with Preparer(embedder, max_tokens=50) as preparer:
        preparer.prepare(b"words", "a.txt")
    with pytest.raises(InvalidInputError, match="the reader has ended"):
        preparer.prepare(b"words", "a.txt")


def test_the_child_loads_no_model() -> None:
    """It starts in a moment and leaves the memory to the encoder."""
    code = "import json, sys, retrieval.prepare_child; print(json.dumps([*sys.modules]))"
    listed = subprocess.run([sys.executable, "-c", code], cwd=PROJECT, capture_output=True, check=True, text=True)
    assert not {"torch", "transformers", "kiwipiepy", "psycopg"} & set(json.loads(listed.stdout))
