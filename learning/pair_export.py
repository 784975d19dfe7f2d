"""The pairs of a run as a data set that TRL trains on, in JSON Lines or Parquet; held-out pairs never leave."""

import hashlib
import json
from collections.abc import AsyncGenerator, Mapping
from pathlib import Path
from typing import Any, Literal, Protocol, Self

from core.database import Database
from core.errors import InvalidInputError
from core.prompt import restore_prompt
from learning.ledger import Ledger
from learning.private_data import redact, redact_messages

Form = Literal["preference", "prompt_completion", "kto"]
FileFormat = Literal["jsonl", "parquet"]
Row = dict[str, Any]

ROWS_A_GROUP = 500
ENDINGS: Mapping[str, FileFormat] = {".jsonl": "jsonl", ".json": "jsonl", ".parquet": "parquet"}


class RowWriter(Protocol):
    """Where rows go; closed, also by an error, at the end of its context."""

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...

    def write(self, row: Row) -> None:
        """Add one row."""
        ...


async def build_rows(ledger: Ledger, run_id: int, form: Form) -> AsyncGenerator[Row]:
    """The rows of a form, one at a time.

    `preference`: prompt, chosen, rejected. `prompt_completion`: the chosen sides. `kto`: both sides with a label each,
    and the single votes where the run offers them for training.
    """
    async for pair in ledger.stream("stream_pairs", run_id):
        chosen, rejected = _say(pair["chosen"]), _say(pair["rejected"])
        if form == "preference":
            yield {"prompt": pair["prompt"], "chosen": chosen, "rejected": rejected}
        elif form == "prompt_completion":
            yield {"prompt": pair["prompt"], "completion": chosen}
        else:
            yield {"prompt": pair["prompt"], "completion": chosen, "label": True}
            yield {"prompt": pair["prompt"], "completion": rejected, "label": False}
    if form != "preference":
        async for single in ledger.stream("stream_singles", run_id):
            if form == "kto" or single["is_liked"]:
                yield _single_row(single, form)


async def stream_singles(database: Database, run_id: int) -> AsyncGenerator[Row]:
    """The single votes that a run trains on in KTO's form, each content once, with its hash."""
    seen: set[str] = set()
    async for single in Ledger(database).stream("stream_singles", run_id):
        row = _single_row(single, "kto")
        sha256 = hash_single(row)
        if sha256 not in seen:
            seen.add(sha256)
            yield row | {"sha256": sha256}


def hash_single(row: Row) -> str:
    """Identity by content: prompt, answer and judgement."""
    content = json.dumps([row["prompt"], row["completion"], row["label"]], ensure_ascii=False, sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()


def open_writer(file: Path, file_format: FileFormat, form: Form) -> RowWriter:
    """A writer of the format; an unknown ending must be named.

    Raises:
        InvalidInputError: the file cannot be written.
    """
    try:
        return ParquetRows(file, form) if file_format == "parquet" else JsonRows(file)
    except OSError as error:
        raise InvalidInputError(f"expected a file that can be written, got {str(file)!r}: {error.strerror}") from error


class JsonRows:
    """One JSON object a line."""

    def __init__(self, file: Path) -> None:
        self._file = file.open("w", encoding="utf-8")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def write(self, row: Row) -> None:
        """Add one line."""
        self._file.write(json.dumps(row, ensure_ascii=False) + "\n")


class ParquetRows:
    """Row groups of a few hundred rows: memory does not grow with their number."""

    def __init__(self, file: Path, form: Form) -> None:
        import pyarrow  # noqa: PLC0415  no other command needs it
        import pyarrow.parquet  # noqa: PLC0415

        self._arrow = pyarrow
        self._schema = _build_schema(pyarrow, form)
        self._opened = file.open("wb")
        self._writer = pyarrow.parquet.ParquetWriter(self._opened, self._schema, compression="zstd")
        self._rows: list[Row] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._flush()
        self._writer.close()
        self._opened.close()

    def write(self, row: Row) -> None:
        """Add one row to the group."""
        self._rows.append(row)
        if len(self._rows) == ROWS_A_GROUP:
            self._flush()

    def _flush(self) -> None:
        if self._rows:
            self._writer.write_table(self._arrow.Table.from_pylist(self._rows, schema=self._schema))
            self._rows.clear()


def _build_schema(arrow: Any, form: Form) -> Any:
    turns = arrow.list_(arrow.struct([("role", arrow.string()), ("content", arrow.string())]))
    columns = {
        "preference": {"prompt": turns, "chosen": turns, "rejected": turns},
        "prompt_completion": {"prompt": turns, "completion": turns},
        "kto": {"prompt": turns, "completion": turns, "label": arrow.bool_()},
    }
    return arrow.schema(list(columns[form].items()))


def _single_row(single: Mapping[str, Any], form: Form) -> Row:
    """A judged answer; where it was replaced by a quotation and disliked, what the model had said is meant."""
    is_replaced = not single["is_liked"] and single["mode"] in ("quoted", "refused") and single["generated"]
    text = (single["generated"] if is_replaced else single["answer"]) or ""
    prompt = redact_messages(restore_prompt(single["messages"]))
    row: Row = {"prompt": prompt, "completion": _say(redact(text))}
    return row | {"label": single["is_liked"]} if form == "kto" else row


def _say(text: str) -> list[dict[str, str]]:
    return [{"role": "assistant", "content": text}]
