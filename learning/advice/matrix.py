"""The optimisation matrix: what failed questions lack, on two axes. Pure.

Rows: whether the right context was there. Columns: how behaviour has to change: not at all, by the prompt, by the
weights. After the two axes of OpenAI's guide "Optimizing LLM accuracy" (2024); there the prompt is where both begin.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from learning.advice.diagnosis import Behaviour, Context, Diagnosis

_Kind = tuple[Context | None, Behaviour | None]
Row = Literal["lacking", "there"]
Column = Literal["as_is", "prompt", "weights"]
ROWS: tuple[Row, ...] = ("lacking", "there")
COLUMNS: tuple[Column, ...] = ("as_is", "prompt", "weights")
_COLUMN: dict[Behaviour | None, Column] = {
    None: "as_is", "examples": "prompt", "wording": "prompt", "adapter": "weights", "memory": "weights",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Field:
    """One field of the matrix.

    Attributes:
        kinds: what of its questions lack, as `context` and `behaviour`, the most frequent first.
    """

    row: Row
    column: Column
    count: int
    kinds: tuple[tuple[Context | None, Behaviour | None, int], ...]


def build_matrix(diagnoses: Sequence[Diagnosis]) -> list[Field]:
    """Every field, row by row; right answers stand in none, and nobody's is there with right context as it is."""
    failed = [one for one in diagnoses if not one.is_right]
    fields: list[Field] = []
    for row in ROWS:
        for column in COLUMNS:
            inside = [one for one in failed if find_field(one) == (row, column)]
            kinds = Counter[_Kind]((one.context, one.behaviour) for one in inside)
            ordered = sorted(kinds.items(), key=lambda kind: (-kind[1], str(kind[0])))
            fields.append(Field(row, column, len(inside), tuple((*kind, count) for kind, count in ordered)))
    return fields


def find_field(diagnosis: Diagnosis) -> tuple[Row, Column]:
    """Where a failed question stands."""
    return "lacking" if diagnosis.context else "there", _COLUMN[diagnosis.behaviour]
