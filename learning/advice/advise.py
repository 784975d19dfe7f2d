"""From diagnoses to advice: counts, steps, the one to take, in words of each language and as a picture. Pure."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

from core.durations import say_duration
from core.prompt import Language
from learning.advice.diagnosis import Behaviour, Context, Diagnosis
from learning.advice.matrix import COLUMNS, ROWS, Field, build_matrix
from learning.advice.steps import MENDED, Prices, Step, StepName, find_steps
from learning.charts import draw_matrix

TEMPLATES = Path(__file__).parent.parent / "templates"
LANGUAGES: tuple[Language, ...] = ("en", "ko")
_STEP_OF: dict[Context | Behaviour, StepName] = {
    "hidden": "grant",
    "missing": "write_documents",
    "stale": "update_documents",
    "retrieval": "improve_search",
    "doubted": "improve_search",
    "chunking": "neighbours",
    "crowded": "fewer_passages",
    "budget": "more_passages",
    "examples": "examples",
    "wording": "wording",
    "adapter": "other_adapter",
    "memory": "train",
}


@dataclass(frozen=True, slots=True)
class Advice:
    """What a round came to; it names no question.

    Attributes:
        steps: the one to take first; none where no question failed.
        tokens, seconds: that all runs took.
        said, change, hypothesis: of the first step, by language.
        targets: keys of the questions that it should mend.
    """

    asked: int
    right: int
    fields: list[Field]
    steps: list[Step]
    tokens: int
    seconds: float
    said: dict[str, str]
    change: dict[str, str]
    hypothesis: dict[str, str]
    targets: list[str]

    @property
    def recommended(self) -> Step | None:
        """The one to take."""
        return self.steps[0] if self.steps else None

    def to_json(self) -> dict[str, Any]:
        """As it is stored and printed."""
        return asdict(self) | {
            "failed": self.asked - self.right,
            "recommended": self.steps[0].name if self.steps else None,
        }


def load_texts(language: Language) -> Mapping[str, Any]:
    """Every word of the advice in one language."""
    return _load(language)


def build_advice(diagnoses: Sequence[Diagnosis], prices: Prices, *, more: int) -> Advice:
    """Everything of a round.

    Args:
        more: passages of an answer with the larger budget that was tried.
    """
    steps = find_steps(diagnoses, prices)
    first = steps[0] if steps else None
    targets = [one.key for one in diagnoses if first and not one.is_right and MENDED[first.name](one)]
    known = {"more": more, "adapter": _find_adapter(diagnoses)}
    texts = {language: load_texts(language) for language in LANGUAGES}
    return Advice(
        asked=len(diagnoses),
        right=sum(one.is_right for one in diagnoses),
        fields=build_matrix(diagnoses),
        steps=steps,
        tokens=sum(run.prompt_tokens + run.completion_tokens for one in diagnoses for run in one.runs),
        seconds=round(sum(run.seconds for one in diagnoses for run in one.runs), 1),
        said={language: say(first, prices, language, known) for language in LANGUAGES},
        change={language: _do(first, texts[language], known) for language in LANGUAGES} if first else {},
        hypothesis={language: texts[language]["steps"][first.name]["hypothesis"] for language in LANGUAGES}
        if first
        else {},
        targets=targets,
    )


def say(step: Step | None, prices: Prices, language: Language, known: Mapping[str, Any]) -> str:
    """The step to take with its gain and its price, in one sentence or two."""
    texts = load_texts(language)
    if step is None:
        return texts["nothing"]
    shares = {name: texts["percent"].format(100 * getattr(step, name)) for name in ("low", "high")}
    parts = list_costs(step, language)[1:]
    return texts["best" if step.is_tried else "best_untried"].format(
        do=_do(step, texts, known),
        mends=step.mends,
        of=step.of,
        price=_say_price(step, prices, language),
        more="".join(f", {part}" for part in parts),
        **shares,
    )


def list_costs(step: Step, language: Language, *, is_short: bool = False) -> list[str]:
    """What a step takes, in words: a person's minutes, then the machine's time, in begun minutes, and tokens if any."""
    texts = load_texts(language)["short"] if is_short else load_texts(language)
    costs = [texts["minutes"].format(minutes=step.minutes)]
    if step.machine_hours:
        seconds = 60 * math.ceil(step.machine_hours * 60)
        costs.append(texts["machine"].format(hours=say_duration(seconds, language)))
    if step.tokens_each:
        costs.append(texts["each"].format(tokens=step.tokens_each).replace("-", "−"))
    return costs


def draw(advice: Advice, language: Language) -> str:
    """The matrix as SVG: what each field holds, what its next step costs, and the step to take below."""
    texts, steps = load_texts(language), {step.name: step for step in advice.steps}
    first = advice.recommended
    fields = {(field.row, field.column): field for field in advice.fields}
    cells = [
        [_draw_field(fields[row, column], steps, first, language) for column in COLUMNS] for row in ROWS
    ]  # fmt: skip
    return draw_matrix(
        cells,
        rows=[texts["rows"][row] for row in ROWS],
        columns=[texts["columns"][column] for column in COLUMNS],
        axes=(texts["axes"][0], texts["axes"][1]),
        below=advice.said[language],
    )


def name_kind(context: Context | None, behaviour: Behaviour | None, language: Language) -> str:
    """What a question lacks, in words."""
    texts = load_texts(language)
    named = {"context": texts["contexts"].get(context, ""), "behaviour": texts["behaviours"].get(behaviour, "")}
    return texts["both"].format(**named) if context and behaviour else named["context"] or named["behaviour"]


def _draw_field(field: Field, steps: Mapping[str, Step], first: Step | None, language: Language) -> dict[str, Any]:
    texts = load_texts(language)
    lines: list[tuple[str, str, bool]] = []
    for context, behaviour, count in field.kinds:
        label = f"{name_kind(context, None if context else behaviour, language)} {count}"
        if context and behaviour:
            lines.append((label, texts["besides"].format(behaviour=texts["behaviours"][behaviour]), False))
        elif lacking := context or behaviour:
            step = steps.get(_STEP_OF[lacking])
            note = ", ".join(list_costs(step, language, is_short=True)) if step else ""
            lines.append((label, note, step is not None and step == first))
    return {"count": field.count, "lines": lines}


def _do(step: Step | None, texts: Mapping[str, Any], known: Mapping[str, Any]) -> str:
    if step is None:
        return ""
    return texts["steps"][step.name]["do"].format(**{**known, "adapter": known["adapter"] or texts["base_model"]})


def _say_price(step: Step, prices: Prices, language: Language) -> str:
    return f"{prices.figures.currency} {step.price:,.0f} ({list_costs(step, language)[0]})"


def _find_adapter(diagnoses: Sequence[Diagnosis]) -> str | None:
    """The other adapter that answered most of them rightly."""
    right = [run.adapter for one in diagnoses for run in one.runs if run.name == "adapter" and run.is_right]
    return max(sorted(set(right), key=str), key=right.count) if right else None


@cache
def _load(language: Language) -> Mapping[str, Any]:
    return json.loads((TEMPLATES / f"advice.{language}.json").read_text(encoding="utf-8"))
