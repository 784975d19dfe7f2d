"""Answers written again by several models through the server: held-out and disliked questions, and probes, in time."""

import asyncio
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from core.database import Database
from core.model_server import ModelServer, Sampling
from core.prompt import Language, shorten_prompt
from core.sql import load_queries
from learning.gate import Tally
from learning.judges import Asked, Judge, grade
from learning.private_data import redact
from learning.probes import Probe, count_right
from learning.trainer import Progress

QUERIES = load_queries(__file__)

DISLIKED_DAYS = 7
PROBE_TOKENS = 32
AT_ONCE = 4
"""Requests under way: the server computes several in hardly more time than one."""
SHARES = ("f1", "contains", "cited", "grounded")


@dataclass(frozen=True, slots=True)
class Disliked:
    """A question whose answer somebody disliked, as it was served; nobody trained on it."""

    id: int
    question: str
    language: Language
    messages: list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class _Slice:
    sha256: str
    slice: str


@dataclass(frozen=True, slots=True)
class _Left:
    id: int


@dataclass(frozen=True, slots=True)
class Models:
    """Which names the server is asked by; None is the base model. `live` is what is served tonight.

    Attributes:
        baked: those that have today's standing prompt in their weights.
    """

    candidate: str
    live: str | None
    baked: frozenset[str] = frozenset()

    def fit(self, prompt: Sequence[Any], name: str | None) -> Sequence[Any]:
        """A prompt as it would be served by a name."""
        return shorten_prompt(prompt) if name in self.baked else prompt

    def names(self) -> dict[str, str | None]:
        """What is asked everywhere, by its role."""
        return {"live": self.live, "candidate": self.candidate}

    def names_with_base(self) -> dict[str, str | None]:
        """The same and the base model, where that is not what is served."""
        return self.names() if self.live is None else {"base": None, **self.names()}


class Deadline:
    """How long the server may be asked; what does not fit is left out, whatever it would have shown."""

    def __init__(self, seconds: float) -> None:
        self._ends_at = time.monotonic() + seconds

    def has_passed(self) -> bool:
        """Whether nothing more may be begun."""
        return time.monotonic() >= self._ends_at


async def find_disliked(database: Database, *, run_id: int, until: datetime, limit: int) -> list[Disliked]:
    """Last week's disliked questions that everyone may see and learn from, and no pair of this night holds."""
    values = {"run_id": run_id, "since": until - timedelta(days=DISLIKED_DAYS), "until": until, "limit": limit}
    return await database.fetch_all(QUERIES["find_disliked"], values, Disliked)


async def keep_unforgotten(database: Database, written: dict[str, Any]) -> dict[str, Any]:
    """What was written again of disliked questions, without the examples whose question was erased meanwhile."""
    ids = [int(example["sha256"]) for example in written["examples"]]
    left = {str(row.id) for row in await database.fetch_all(QUERIES["find_left"], {"ids": ids}, _Left)}
    return written | {"examples": [example for example in written["examples"] if example["sha256"] in left]}


async def find_slices(database: Database, run_id: int) -> dict[str, list[str]]:
    """`team:` and `topic:` of each held-out pair, by its hash: the asker's groups, and the first document's folder."""
    slices: dict[str, list[str]] = defaultdict(list)
    for row in await database.fetch_all(QUERIES["find_slices"], {"run_id": run_id}, _Slice):
        slices[row.sha256].append(row.slice)
    return slices


async def ask_probes(
    model_server: ModelServer, probes: Sequence[Probe], models: Models, *, deadline: Deadline
) -> dict[str, Any]:
    """Every probe to every model, side by side; the tallies for the gate and what changed, for the report.

    Raises:
        ModelServerError: the server went away; nothing is made up.
    """
    answers: dict[str, dict[str, str]] = {role: {} for role in models.names_with_base()}
    for at in range(0, len(probes), AT_ONCE):
        if deadline.has_passed():
            break
        batch = probes[at : at + AT_ONCE]
        for role, name in models.names_with_base().items():
            texts = await asyncio.gather(
                *(_ask(model_server, models.fit(one.messages, name), name, PROBE_TOKENS) for one in batch)
            )
            answers[role] |= {one.id: text for one, text in zip(batch, texts, strict=True)}
    tallies = count_right(probes, answers["live"], answers["candidate"])
    base = count_right(probes, answers.get("base", answers["live"]), answers["candidate"])
    return {
        "asked": len(answers["candidate"]),
        "of": len(probes),
        "tallies": [asdict(tally) | {"base": own.live} for tally, own in zip(tallies, base, strict=True)],
        "changed": [_tell_change(probe, answers) for probe in probes if _has_changed(probe, answers)],
    }


async def write_again(
    model_server: ModelServer,
    asked: Sequence[tuple[str, Asked]],
    models: Models,
    judge: Judge,
    *,
    max_tokens: int,
    deadline: Deadline,
    progress: Progress,
) -> dict[str, Any]:
    """Both models' answers to served prompts, graded and judged side by side.

    Args:
        asked: prompts by their id, in an order that does not depend on their answers.

    Raises:
        ModelServerError: the server went away; nothing is made up.
    """
    examples: list[dict[str, Any]] = []
    for at in range(0, len(asked), AT_ONCE // 2):
        if deadline.has_passed():
            break
        batch = asked[at : at + AT_ONCE // 2]
        wanted = [
            _ask(model_server, models.fit(one.prompt, name), name, max_tokens)
            for _, one in batch
            for name in (models.live, models.candidate)
        ]
        texts = iter(await asyncio.gather(*wanted))
        for (key, one), live, candidate in zip(batch, texts, texts, strict=False):
            examples.append(await _judge_both(judge, key, one, live, candidate))
        await progress({"event": "answered", "prompt": len(examples), "prompts": len(asked)})
    return {
        "count": len(examples),
        "of": len(asked),
        "means": average(examples),
        "judge": asdict(judge.cost),
        "examples": examples,
    }


def average(examples: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, float | None]]:
    """Mean shares of both models over the examples that have them."""
    return {role: {name: _mean(examples, role, name) for name in SHARES} for role in ("live", "candidate") if examples}


def count_drift(examples: Sequence[Mapping[str, Any]]) -> list[Tally]:
    """Answers in the language of their question, and of a sensible length."""
    if not examples:
        return []
    return [
        Tally(
            name,
            candidate=sum(example["candidate"][key] for example in examples),
            live=sum(example["live"][key] for example in examples),
            count=len(examples),
        )
        for name, key in (("language", "in_language"), ("length", "brief"))
    ]


async def _judge_both(judge: Judge, key: str, asked: Asked, live: str, candidate: str) -> dict[str, Any]:
    verdict = await judge.compare(asked, live, candidate)
    return {
        "sha256": key,
        "question": redact(asked.question),
        "preferred": asked.preferred,
        "live": {"text": redact(live), **asdict(grade(live, asked))},
        "candidate": {"text": redact(candidate), **asdict(grade(candidate, asked))},
        "won": verdict.won,
        "judged_by": verdict.by,
        "language": asked.language,
    }


async def _ask(model_server: ModelServer, prompt: Sequence[Any], name: str | None, max_tokens: int) -> str:
    sampling = Sampling(max_tokens=max_tokens, temperature=0.0)
    return (await model_server.complete(prompt, adapter=name, sampling=sampling)).text.strip()


def _mean(examples: Sequence[Mapping[str, Any]], role: str, name: str) -> float | None:
    values = [example[role][name] for example in examples if example[role][name] is not None]
    return sum(values) / len(values) if values else None


def _has_changed(probe: Probe, answers: Mapping[str, Mapping[str, str]]) -> bool:
    both = [answers[role].get(probe.id) for role in ("live", "candidate")]
    return None not in both and len({probe.is_right(text or "") for text in both}) == 2


def _tell_change(probe: Probe, answers: Mapping[str, Mapping[str, str]]) -> dict[str, Any]:
    texts = {role: answers[role][probe.id] for role in ("live", "candidate")}
    return {"id": probe.id, "kind": probe.kind, "is_right": probe.is_right(texts["candidate"]), **texts}
