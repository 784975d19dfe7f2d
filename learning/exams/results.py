"""From all answers of a run to numbers with intervals: by measure, all ways held against one of them. Pure."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, is_dataclass
from typing import Any, TypeVar

import numpy as np

from core.prompt import Language
from learning.exams.agreement import Word, measure_judge
from learning.exams.bootstrap import Estimate, Weights, estimate_mean, estimate_statistic
from learning.exams.comparison import WAYS, Comparison, Scores, Way, compare_ways
from learning.exams.four_choice import Choice, score_exam, score_items
from learning.exams.geval import count_verdicts
from learning.exams.overlap import Bleu, measure_bleu, measure_rouge
from learning.exams.sitting import By
from learning.judges import Verdict

_Found = TypeVar("_Found")
_Scored = Mapping[Way, Scores]

LANGUAGES: tuple[Language, ...] = ("en", "ko")


@dataclass(frozen=True, slots=True)
class OpenAnswer:
    """An answer to a golden question.

    Attributes:
        group: the document that the question stands or falls with.
        reference: the right answer in full; empty where none is known, and wording is not measured.
        cell: retrieved or not against right or not, by name; None where nothing is retrieved.
        seconds: of the whole answer; tokens as the server counted them.
    """

    question: str
    language: Language
    group: str
    answer: str
    reference: str
    is_right: bool
    cell: str | None = None
    seconds: float | None = None
    prompt_tokens: int | None = None
    completion_tokens: int | None = None


@dataclass(slots=True)
class Answers:
    """What a run brought; maps are by way, and then by question where that is said.

    Attributes:
        items: item -> the document that it was made of.
        likeness: BERTScore in [0, 1], by way and question.
        grades: criterion -> way -> question -> score in [0, 1].
        verdicts: criterion -> way -> verdicts of its answers against those of the way that all are held against.
        judged: judge -> its words and people's on the same answers.
        needles: whether each was found.
    """

    choices: dict[By, dict[Way, list[Choice]]] = field(default_factory=dict[By, dict[Way, list[Choice]]])
    items: dict[str, str] = field(default_factory=dict[str, str])
    open: dict[Way, list[OpenAnswer]] = field(default_factory=dict[Way, list[OpenAnswer]])
    likeness: dict[Way, dict[str, float]] = field(default_factory=dict[Way, dict[str, float]])
    grades: dict[str, dict[Way, dict[str, float]]] = field(default_factory=dict[str, dict[Way, dict[str, float]]])
    verdicts: dict[str, dict[Way, list[Verdict]]] = field(default_factory=dict[str, dict[Way, list[Verdict]]])
    judged: dict[str, tuple[list[Word], list[Word]]] = field(default_factory=dict[str, tuple[list[Word], list[Word]]])
    needles: dict[Way, list[bool]] = field(default_factory=dict[Way, list[bool]])


@dataclass(frozen=True, slots=True)
class Speed:
    """What an answer takes.

    Attributes:
        half, most: seconds that half of the answers, and 95 of 100, do not exceed.
        prompt_tokens, completion_tokens: means; None where the server does not count.
    """

    half: Estimate
    most: Estimate
    prompt_tokens: Estimate | None
    completion_tokens: Estimate | None


def compare_all(answers: Answers, names: Language = "en") -> list[Comparison]:
    """A table for each measure of which there are scores, the exam's first; all ways against the first of them.

    Args:
        names: language in which measures are named.
    """
    words = _MEASURES[names]
    groups = {one.question: one.group for found in answers.open.values() for one in found}
    tables: list[Comparison | None] = [
        _compare(words[by], {way: score_items(found) for way, found in ways.items()}, answers.items)
        for by, ways in answers.choices.items()
    ]
    right: _Scored = {way: {one.question: float(one.is_right) for one in found} for way, found in answers.open.items()}
    tables.append(_compare(words["golden"], right, groups))
    for language in LANGUAGES:
        rouge: _Scored = {way: _score_rouge(found, language) for way, found in answers.open.items()}
        tables.append(_compare(f"ROUGE-L, {words[language]}", rouge, groups))
        known = {one.question for found in answers.open.values() for one in found if one.language == language}
        likeness: _Scored = {
            way: {question: score for question, score in found.items() if question in known}
            for way, found in answers.likeness.items()
        }
        tables.append(_compare(f"BERTScore, {words[language]}", likeness, groups))
    tables += [_compare(f"G-Eval, {criterion}", found, groups) for criterion, found in answers.grades.items()]
    return [table for table in tables if table is not None]


def name_measure(measure: str, language: Language) -> str:
    """What a measure of a stored run, which is named in English, is called in a language."""
    names = {name: _MEASURES[language][key] for key, name in _MEASURES["en"].items()}
    what, comma, of = measure.rpartition(", ")
    return names.get(measure) or f"{what}{comma}{names.get(of, of)}"


def measure_all(answers: Answers) -> dict[str, Any]:
    """Everything that was measured, as JSON holds it: numbers, names of ways and measures, no text of anybody."""
    tables = compare_all(answers)
    return to_json(
        {
            "comparisons": [
                asdict(table) | {"rows": [asdict(row) | {"verdict": row.verdict} for row in table.rows]}
                for table in tables
            ],
            "four_choice": {
                by: {way: score_exam(found, groups=answers.items) for way, found in _in_order(ways)}
                for by, ways in answers.choices.items()
            },
            "golden": {way: _count_cells(found) for way, found in _in_order(answers.open)},
            "bleu": {
                language: bleu
                for language in LANGUAGES
                if (bleu := {way: _score_bleu(found, language) for way, found in _in_order(answers.open)})
                and any(bleu.values())
            },
            "duels": {
                criterion: {way: _count_duel(found) for way, found in _in_order(ways)}
                for criterion, ways in answers.verdicts.items()
            },
            "speed": {way: speed for way, found in _in_order(answers.open) if (speed := measure_speed(found))},
            "needle": {way: estimate_mean([float(one) for one in found]) for way, found in _in_order(answers.needles)},
            "agreement": {judge: measure_judge(words, people) for judge, (words, people) in answers.judged.items()},
        }
    )


def measure_speed(answers: Sequence[OpenAnswer]) -> Speed | None:
    """Of one way; None where no answer was timed."""
    seconds = [one.seconds for one in answers if one.seconds is not None]
    if not seconds:
        return None
    return Speed(
        estimate_quantile(seconds, 0.5),
        estimate_quantile(seconds, 0.95),
        _estimate_tokens([one.prompt_tokens for one in answers]),
        _estimate_tokens([one.completion_tokens for one in answers]),
    )


def estimate_quantile(values: Sequence[float], share: float) -> Estimate:
    """The smallest of the values that a share of them does not exceed."""
    ordered = np.array(sorted(values), dtype=np.float64)

    def find(weights: Weights) -> float:
        reached = np.cumsum(weights) >= share * weights.sum() - 1e-9
        return float(ordered[int(np.argmax(reached))])

    return estimate_statistic(len(ordered), find)


def to_json(value: Any) -> Any:
    """Dataclasses as objects, and what has no value as null, which JSON's numbers lack."""
    if is_dataclass(value) and not isinstance(value, type):
        value = asdict(value)
    if isinstance(value, Mapping):
        return {str(key): to_json(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [to_json(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _compare(measure: str, scores: _Scored, groups: Mapping[str, str]) -> Comparison | None:
    measured: dict[Way, Scores] = {way: scores[way] for way in WAYS if scores.get(way)}
    if not measured or not set[str].intersection(*(set(found) for found in measured.values())):
        return None
    return compare_ways(measure, measured, against=next(way for way in WAYS if way in measured), groups=groups)


def _score_rouge(answers: Sequence[OpenAnswer], language: Language) -> dict[str, float]:
    return {
        one.question: measure_rouge(one.answer, one.reference).longest
        for one in answers
        if one.language == language and one.reference
    }


def _score_bleu(answers: Sequence[OpenAnswer], language: Language) -> Bleu | None:
    known = [one for one in answers if one.language == language and one.reference]
    if not known:
        return None
    groups = [one.group for one in known]
    return measure_bleu([one.answer for one in known], [one.reference for one in known], language, groups=groups)


def _count_cells(answers: Sequence[OpenAnswer]) -> dict[str, Any]:
    """Cells as a count each, where something was retrieved."""
    right = [float(one.is_right) for one in answers]
    cells = Counter(one.cell for one in answers if one.cell is not None)
    groups = [one.group for one in answers]
    return {"right": estimate_mean(right, groups=groups), "cells": dict(cells)} if answers else {}


def _count_duel(verdicts: Sequence[Verdict]) -> dict[str, Any]:
    duel = count_verdicts(verdicts)
    return asdict(duel) | {"survived": duel.survived}


def _estimate_tokens(counts: Sequence[int | None]) -> Estimate | None:
    known = np.array([count for count in counts if count is not None], dtype=np.float64)
    if known.size == 0:
        return None
    return estimate_statistic(len(known), lambda weights: float(weights @ known / weights.sum()))


def _in_order(ways: Mapping[Way, _Found]) -> list[tuple[Way, _Found]]:
    return [(way, ways[way]) for way in WAYS if ways.get(way)]


_MEASURES: Mapping[Language, Mapping[str, str]] = {
    "en": {
        "generation": "four-choice, by letter",
        "likelihood": "four-choice, by likelihood",
        "golden": "golden questions right",
        "en": "English",
        "ko": "Korean",
    },
    "ko": {
        "generation": "사지선다, 고른 글자",
        "likelihood": "사지선다, 보기의 확률",
        "golden": "기준 질문 정답",
        "en": "영어",
        "ko": "한국어",
    },
}
