"""How much of a reference answer's wording stands in an answer: ROUGE and BLEU, Korean by characters. Pure.

Wording is not truth: a right answer in other words scores low, and one with the wrong number scores high. Read them
beside a judge, never alone.

Where we differ from rouge-score: Hangul is cut into its syllables, for endings and spacing say the same thing in many
ways, and English words are not stemmed. BLEU is sacreBLEU's, `13a` for English, `char` for Korean; its `ko-mecab`
would need another Korean dictionary beside the one we have. Numbers of the two languages cannot be compared.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from sacrebleu.metrics.bleu import BLEU

from core.prompt import Language
from core.wording import normalise_text, strip_citations
from learning.exams.bootstrap import Estimate, NothingMeasuredError, Weights, estimate_statistic

_UNIT = re.compile(r"[\uac00-\ud7a3]|[^\W\uac00-\ud7a3]+")
_TOKENISERS: dict[Language, str] = {"en": "13a", "ko": "char"}


@dataclass(frozen=True, slots=True)
class Rouge:
    """F1 in [0, 1] of single units, of pairs, and of the longest common subsequence.

    Source: Lin 2004, ROUGE: A package for automatic evaluation of summaries.
    """

    one: float
    two: float
    longest: float


@dataclass(frozen=True, slots=True)
class Bleu:
    """BLEU of all answers together, in [0, 100] as published numbers are.

    Attributes:
        signature: sacreBLEU's, to be told with the number.
    """

    score: Estimate
    signature: str


def measure_rouge(answer: str, reference: str) -> Rouge:
    """Of one answer. Case, punctuation and citations count for nothing; a text without a pair has no ROUGE-2: 0.0."""
    units, wanted = cut_units(answer), cut_units(reference)
    return Rouge(
        _measure_f1(_count_common(units, wanted), len(units), len(wanted)),
        _measure_f1(_count_common(list(pairwise(units)), list(pairwise(wanted))), len(units) - 1, len(wanted) - 1),
        _measure_f1(measure_longest(units, wanted), len(units), len(wanted)),
    )


def measure_sentence_bleu(answer: str, reference: str, language: Language) -> float:
    """BLEU of one answer in [0, 1], smoothed, over the n-grams that it can have; for paired differences only."""
    bleu = BLEU(tokenize=_TOKENISERS[language], effective_order=True)
    score = bleu.sentence_score(strip_citations(answer), [strip_citations(reference)]).score
    return min(1.0, score / 100)


def measure_bleu(
    answers: Sequence[str],
    references: Sequence[str],
    language: Language,
    *,
    groups: Sequence[Hashable] | None = None,
    seed: int = 0,
) -> Bleu:
    """BLEU of all answers of one language, with the interval of drawing the questions again.

    Raises:
        NothingMeasuredError: there are no answers, or not one a reference.
    """
    if len(answers) != len(references) or not answers:
        raise NothingMeasuredError(f"expected an answer a reference, got {len(answers)} and {len(references)}")
    bleu = BLEU(tokenize=_TOKENISERS[language])
    answers, references = [*map(strip_citations, answers)], [*map(strip_citations, references)]
    # The signature tells the number of references only after a score.
    bleu.corpus_score(answers, [references])
    # Counts are the same with either order; without it sacreBLEU warns of each sentence.
    single = BLEU(tokenize=_TOKENISERS[language], effective_order=True)
    found = [single.sentence_score(one, [other]) for one, other in zip(answers, references, strict=True)]
    counts = np.array([[*one.counts, *one.totals, one.sys_len, one.ref_len] for one in found], dtype=np.float64)

    def score(weights: Weights) -> float:
        sums = [int(total) for total in weights @ counts]
        return BLEU.compute_bleu(sums[:4], sums[4:8], sums[8], sums[9], smooth_method="exp").score

    return Bleu(estimate_statistic(len(answers), score, groups=groups, seed=seed), str(bleu.get_signature()))


def cut_units(text: str) -> list[str]:
    """What is counted: `Annual leave 23일` is `annual`, `leave`, `23`, `일`."""
    return _UNIT.findall(normalise_text(text))


def measure_longest(units: Sequence[str], others: Sequence[str]) -> int:
    """Length of the longest common subsequence, all rows of its table at once in one number's bits.

    Source: Hyyrö 2004, Bit-parallel LCS-length computation revisited.
    """
    places: dict[str, int] = defaultdict(int)
    for at, unit in enumerate(units):
        places[unit] |= 1 << at
    full = (1 << len(units)) - 1
    row = full
    for unit in others:
        met = row & places.get(unit, 0)
        row = ((row + met) | (row - met)) & full
    return len(units) - row.bit_count()


def _count_common(units: Sequence[Hashable], others: Sequence[Hashable]) -> int:
    return (Counter(units) & Counter(others)).total()


def _measure_f1(common: int, count: int, wanted: int) -> float:
    return 2 * common / (count + wanted) if common else 0.0
