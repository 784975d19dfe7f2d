"""One measure over the ways a model can be helped: as it is, with examples, with passages, trained. Pure.

All ways are held against the same questions. Intervals are of 95 % each, so of twenty differences that are none, one
will look clear: believe a way that is clear on two measures, or on a second exam.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from core.prompt import Language
from learning.charts import draw_comparison, stack
from learning.exams.bootstrap import Difference, Estimate, NothingMeasuredError, estimate_difference, estimate_mean

Way = Literal["base", "few_shot", "rag", "sft", "sft_dpo"]
WAYS: tuple[Way, ...] = ("base", "few_shot", "rag", "sft", "sft_dpo")

Scores = Mapping[str, float]
"""Question -> score in [0, 1]: right or wrong, ROUGE, BLEU of the sentence, or a grade."""


@dataclass(frozen=True, slots=True)
class Row:
    """One way.

    Attributes:
        gain: by how much it exceeds the way that all are held against, question by question; None of that one.
    """

    way: Way
    score: Estimate
    gain: Difference | None

    @property
    def verdict(self) -> Literal["against", "better", "worse", "unclear"]:
        """What the interval of the gain allows to say."""
        if self.gain is None:
            return "against"
        if not self.gain.is_clear:
            return "unclear"
        return "better" if self.gain.value > 0 else "worse"


@dataclass(frozen=True, slots=True)
class Comparison:
    """A table.

    Attributes:
        against: the way that all are held against.
        questions: that all ways answered; left_out: those that at least one did not, which count for none.
    """

    measure: str
    against: Way
    rows: tuple[Row, ...]
    questions: int
    left_out: int


def compare_ways(
    measure: str,
    scores: Mapping[Way, Scores],
    *,
    against: Way = "base",
    groups: Mapping[str, str] | None = None,
    seed: int = 0,
) -> Comparison:
    """Hold each way against one of them, over the questions that all of them answered.

    Args:
        groups: question -> the document it was made of; questions of one document count together.

    Raises:
        NothingMeasuredError: `against` was not measured, or no question was answered by all.
    """
    if against not in scores:
        raise NothingMeasuredError(f"expected scores of {against!r} to hold others against, got {sorted(scores)}")
    asked = {question for found in scores.values() for question in found}
    common = sorted(question for question in asked if all(question in found for found in scores.values()))
    if not common:
        raise NothingMeasuredError(f"expected questions that all of {sorted(scores)} answered, got none")
    units = None if groups is None else [groups[question] for question in common]
    baseline = [scores[against][question] for question in common]
    rows: list[Row] = []
    measured: list[Way] = [way for way in WAYS if scores.get(way) is not None]
    for way in measured:
        found = [scores[way][question] for question in common]
        gain = None if way == against else estimate_difference(found, baseline, groups=units, seed=seed)
        rows.append(Row(way, estimate_mean(found, groups=units, seed=seed), gain))
    return Comparison(measure, against, tuple(rows), len(common), len(asked) - len(common))


def read_comparison(told: Mapping[str, Any]) -> Comparison:
    """A table as a stored run has it (`learning/exams/results.py`)."""
    rows = [
        Row(row["way"], Estimate(**_fill(row["score"])), row["gain"] and Difference(**_fill(row["gain"])))
        for row in told["rows"]
    ]
    return Comparison(told["measure"], told["against"], tuple(rows), told["questions"], told["left_out"])


def render_comparison(comparison: Comparison, language: Language) -> str:
    """A Markdown table with its number of questions below."""
    words = _WORDS[language]
    titles = [comparison.measure, words["score"], _title_gain(comparison, language), ""]
    lines = [titles, ["---", "---:", "---:", "---"]]
    for row in comparison.rows:
        gain = "" if row.gain is None else _show(row.gain, "{:+.1f}", words)
        share = _show(row.score, "{:.1f}", words)
        lines.append([WAY_NAMES[language][row.way], share, gain, words[row.verdict]])
    table = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    note = words["questions"].format(questions=comparison.questions)
    left_out = words["left_out"].format(count=comparison.left_out) if comparison.left_out else ""
    return f"{table}\n\n{note}{left_out}\n"


def draw(comparison: Comparison, language: Language) -> str:
    """The table as inline SVG that needs nothing of the page around it."""
    words = _WORDS[language]
    rows = [
        {
            "label": WAY_NAMES[language][row.way],
            "share": row.score.value,
            "low": row.score.low,
            "high": row.score.high,
            "kind": {"better": "good", "worse": "bad"}.get(row.verdict, "neutral"),
            "gain": row.gain and {"value": row.gain.value, "low": row.gain.low, "high": row.gain.high},
        }
        for row in comparison.rows
    ]
    titles = (comparison.measure, _title_gain(comparison, language))
    return draw_comparison(rows, titles=titles, percent=words["percent"])


def draw_all(comparisons: Sequence[Comparison], language: Language) -> str:
    """All tables below each other, as a file of its own; white below, for it may be looked at in the dark."""
    return stack([draw(one, language) for one in comparisons])


def _fill(numbers: Mapping[str, float | None]) -> dict[str, Any]:
    """JSON has null where a number has no value."""
    return {name: math.nan if value is None else value for name, value in numbers.items()}


def _show(found: Estimate, form: str, words: Mapping[str, str]) -> str:
    value, low, high = (form.format(share * 100) for share in (found.value, found.low, found.high))
    return f"{value} ({low}{words['to']}{high})"


def _title_gain(comparison: Comparison, language: Language) -> str:
    return _WORDS[language]["gain"].format(against=WAY_NAMES[language][comparison.against])


WAY_NAMES: Mapping[Language, Mapping[Way, str]] = {
    "en": {"base": "base", "few_shot": "few-shot", "rag": "RAG", "sft": "SFT", "sft_dpo": "SFT+DPO"},
    "ko": {"base": "기본 모델", "few_shot": "예시(few-shot)", "rag": "RAG", "sft": "SFT", "sft_dpo": "SFT+DPO"},
}
_WORDS: Mapping[Language, Mapping[str, str]] = {
    "en": {
        "score": "score, of 100",
        "gain": "points above {against}",
        "percent": "{:.0f} %",
        "to": " to ",
        "against": "",
        "better": "better",
        "worse": "worse",
        "unclear": "cannot tell",
        "questions": "{questions} questions, 95 % intervals, paired by question.",
        "left_out": " {count} that one of them did not answer are left out.",
    },
    "ko": {
        "score": "점수(100점)",
        "gain": "{against} 대비 차이(점)",
        "percent": "{:.0f}%",
        "to": " ~ ",
        "against": "",
        "better": "나음",
        "worse": "못함",
        "unclear": "알 수 없음",
        "questions": "질문 {questions}개, 95% 구간, 질문별로 짝지어 비교.",
        "left_out": " 하나라도 답하지 못한 {count}개는 뺐습니다.",
    },
}
