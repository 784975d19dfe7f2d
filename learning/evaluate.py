"""How good a candidate is: preference numbers from log-probabilities, and answers written again through the server.

Everything here works on plain numbers; the log-probabilities come from the training process.
"""

import math
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from core.errors import NightbakeError
from core.model_server import ModelServer, Sampling
from core.wording import find_citations, is_refusal, measure_support, normalise_text, strip_citations

# Below this a difference of margins is rounding, not a decision.
DECISIVE_NATS = 0.01
Z_95 = 1.959964


class EmptyHeldOutError(NightbakeError):
    """There are no held-out pairs; the gate must not see a made-up number."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """Pair by pair: candidate against the model in service.

    Attributes:
        wins: pairs in which the candidate's margin is larger by more than `DECISIVE_NATS`; losses, where smaller.
        mean_gain: mean growth of the margin, in nats.
    """

    wins: int
    losses: int
    ties: int
    mean_gain: float


@dataclass(frozen=True, slots=True)
class AnswerScore:
    """One regenerated answer: all shares in [0, 1].

    Attributes:
        f1: overlap of its words with those of the preferred answer.
        contains: whether the whole preferred answer stands in it.
        cited: whether it cites, and only passages that the prompt holds.
        grounded: share of its content words and numbers that stand in the prompt.
    """

    f1: float
    contains: float
    cited: float
    grounded: float


def preference_accuracy(margins: Sequence[float]) -> float:
    """Share of pairs whose chosen answer is the likelier one.

    Axes: n = pairs; each margin is log p(chosen) - log p(rejected) in nats, each side divided by its tokens:
    sums would prefer the shorter answer whatever it says. A tie counts as wrong. Unlike DPO's implicit reward
    no reference is taken off, so that the base model has an accuracy too; the gate does not use this number
    but the growth of the summed margin, in which length and reference cancel out.

    Raises:
        EmptyHeldOutError: n is 0.
    """
    if not margins:
        raise EmptyHeldOutError("no held-out pairs to measure; lower NIGHT_MIN_PAIRS or wait for more feedback")
    return sum(margin > 0 for margin in margins) / len(margins)


def wilson_interval(share: float, count: int) -> tuple[float, float]:
    """95 % interval of a share that was observed over `count` pairs (Wilson 1927)."""
    if count == 0:
        return 0.0, 1.0
    centre = (share + Z_95**2 / (2 * count)) / (1 + Z_95**2 / count)
    half = Z_95 * math.sqrt(share * (1 - share) / count + Z_95**2 / (4 * count**2)) / (1 + Z_95**2 / count)
    return max(0.0, centre - half), min(1.0, centre + half)


def compare_margins(candidate: Sequence[float], reference: Sequence[float]) -> Comparison:
    """Count the pairs that the candidate separates better, and worse, than the reference; in nats."""
    gains = [one - other for one, other in zip(candidate, reference, strict=True)]
    wins = sum(gain > DECISIVE_NATS for gain in gains)
    losses = sum(gain < -DECISIVE_NATS for gain in gains)
    return Comparison(wins, losses, len(gains) - wins - losses, sum(gains) / len(gains) if gains else 0.0)


def measure(scored: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """All preference numbers of a night, together and by language, ready for the gate and the report.

    Args:
        scored: one entry a held-out pair with `language` and the `tokens` and log-probabilities
            `{chosen, rejected}` of `base`, `candidate` and perhaps `live`.
    """
    against = "live" if scored and "live" in scored[0] else "base"
    languages = sorted({pair["language"] for pair in scored})
    by_language = {
        name: _measure_some([pair for pair in scored if pair["language"] == name], against) for name in languages
    }
    margins = {name: find_margins(scored, name) for name in _model_names(scored)}
    gains = [c - r for c, r in zip(margins.get("candidate", []), margins.get(against, []), strict=True)]
    return {**_measure_some(scored, against), "languages": by_language, "against": against, "gains": gains}


def find_margins(scored: Sequence[Mapping[str, Any]], model: str) -> list[float]:
    """log p(chosen) - log p(rejected) of each pair, in nats."""
    return [pair[model]["chosen"] - pair[model]["rejected"] for pair in scored]


def find_token_margins(scored: Sequence[Mapping[str, Any]], model: str) -> list[float]:
    """The same with each side's mean over its tokens, in nats a token."""
    return [
        pair[model]["chosen"] / pair["tokens"]["chosen"] - pair[model]["rejected"] / pair["tokens"]["rejected"]
        for pair in scored
    ]


def score_answer_text(answer: str, preferred: str, prompt: Sequence[Mapping[str, Any]]) -> AnswerScore:
    """Judge one regenerated answer by the preferred one and by its own prompt."""
    shown = "\n".join(turn["content"] for turn in prompt if turn["role"] != "system")
    numbers = {int(number) for number in re.findall(r"^\[(\d+)\]", shown, re.MULTILINE)}
    cited = find_citations(answer)
    contains = bool(normalise_text(preferred)) and normalise_text(preferred) in normalise_text(answer)
    return AnswerScore(
        f1=token_f1(answer, preferred),
        contains=float(contains),
        cited=float(bool(cited) and set(cited) <= numbers),
        grounded=1.0 if is_refusal(answer) else measure_support(strip_citations(answer), [shown]),
    )


def token_f1(answer: str, preferred: str) -> float:
    """Harmonic mean of the share of words in common, in [0, 1], as SQuAD counts it but with articles kept."""
    words, wanted = normalise_text(answer).split(), normalise_text(preferred).split()
    common = sum(min(words.count(word), wanted.count(word)) for word in set(words))
    return 2 * common / (len(words) + len(wanted)) if common else 0.0


async def regenerate(
    model_server: ModelServer,
    rows: Sequence[Mapping[str, Any]],
    *,
    candidate: str,
    live: str | None,
    max_tokens: int,
    progress: Callable[[dict[str, Any]], Awaitable[None]],
) -> dict[str, Any]:
    """Answer held-out prompts with the candidate and with the adapter in service (None: the base model).

    Raises:
        ModelServerError: the server went away; nothing is made up.
    """
    sampling = Sampling(max_tokens=max_tokens, temperature=0.0)
    examples: list[dict[str, Any]] = []
    for number, row in enumerate(rows, start=1):
        preferred = row["chosen"][0]["content"]
        example: dict[str, Any] = {"sha256": row["sha256"], "preferred": preferred}
        for name, adapter in (("live", live), ("candidate", candidate)):
            answer = (await model_server.complete(row["prompt"], adapter=adapter, sampling=sampling)).text.strip()
            example[name] = {"text": answer, **asdict(score_answer_text(answer, preferred, row["prompt"]))}
        examples.append(example)
        await progress({"event": "answered", "prompt": number, "prompts": len(rows)})
    return {"count": len(examples), "means": _mean_scores(examples), "examples": examples}


def _model_names(scored: Sequence[Mapping[str, Any]]) -> list[str]:
    return [name for name in ("base", "live", "candidate") if scored and name in scored[0]]


def _measure_some(scored: Sequence[Mapping[str, Any]], against: str) -> dict[str, Any]:
    models: dict[str, Any] = {}
    for name in _model_names(scored):
        margins = find_margins(scored, name)
        accuracy = preference_accuracy(find_token_margins(scored, name))
        low, high = wilson_interval(accuracy, len(margins))
        models[name] = {"accuracy": accuracy, "low": low, "high": high, "margin": sum(margins) / len(margins)}
    comparison = compare_margins(
        find_margins(scored, "candidate") if scored else [], find_margins(scored, against) if scored else []
    )
    return {"count": len(scored), "models": models, **asdict(comparison)}


def _mean_scores(examples: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, float]]:
    names = AnswerScore.__slots__
    return {
        model: {name: sum(example[model][name] for example in examples) / len(examples) for name in names}
        for model in ("live", "candidate")
        if examples
    }
