"""A disliked answer against a better one of the model's own: several are sampled, checked, and the best is chosen."""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from core.database import Database
from core.errors import ModelServerError
from core.group_commit import to_json_rows
from core.model_server import ModelServer, Sampling
from core.prompt import restore_prompt
from core.sql import load_queries
from core.text import clean_text
from core.wording import is_refusal
from learning.labels import Answer, Judgement
from learning.pairs import Pair, make_pair
from learning.refusals import choose_rejected, refuse
from learning.wording import measure_carried

log = logging.getLogger(__name__)

QUERIES = load_queries(__file__)

TEMPERATURE, TOP_P = 0.8, 0.95
# The server batches what it is given at once; more than this only waits in its queue.
AT_ONCE = 64


@dataclass(frozen=True, slots=True)
class Sampler:
    """Where answers are sampled, and how many at most.

    Attributes:
        adapter: what is served; None is the base model.
        answers: for each prompt; 0 samples none.
        prompts: a night's at most, the surest dislikes first.
        seconds: what is not sampled by then is left out.
    """

    model_server: ModelServer
    adapter: str | None
    answers: int = 4
    prompts: int = 32
    max_tokens: int = 128
    seconds: float = 300

    @property
    def model(self) -> str:
        """Whose answers they are."""
        return self.adapter or self.model_server.model


@dataclass(frozen=True, slots=True)
class Sampled:
    """One answer that was given again; `seed` counts from 0 for each prompt."""

    interaction_id: int
    model: str
    seed: int
    answer: str


async def regenerate(database: Database, sampler: Sampler, disliked: Sequence[Judgement]) -> list[Pair]:
    """Pairs of the best regenerated answers; none where no model server answers.

    Each prompt is the one that was served, with the whole standing prompt. Answers are kept, so a night that runs
    again, or the next one, samples only what is new to the model.

    Args:
        disliked: judgements with their answers in full.
    """
    chosen = sorted(disliked, key=lambda one: (-one.weight, -one.answer.id))[: sampler.prompts]
    if not chosen or not sampler.answers:
        return []
    ids = {"ids": [one.answer.id for one in chosen], "model": sampler.model}
    known = await database.fetch_all(QUERIES["find_sampled"], ids, Sampled)
    have = {(one.interaction_id, one.seed) for one in known}
    wanted = [
        (one.answer.id, restore_prompt(one.answer.messages or []), seed)
        for one in chosen
        for seed in range(sampler.answers)
        if (one.answer.id, seed) not in have
    ]
    if wanted and await sampler.model_server.is_healthy():
        fresh = [Sampled(key, sampler.model, seed, text) for key, seed, text in await sample(sampler, wanted)]
        await database.execute(QUERIES["store_sampled"], {"rows": to_json_rows(fresh)})
        known += fresh
    texts: dict[int, list[str]] = defaultdict(list)
    for one in known:
        if one.seed < sampler.answers:
            texts[one.interaction_id].append(one.answer)
    return [pair for one in chosen if (pair := build_regenerated(one, texts[one.answer.id]))]


def build_regenerated(judgement: Judgement, texts: Sequence[str]) -> Pair | None:
    """The best of the texts against the answer that was disliked; None where none passes the checks."""
    answer, rejected = judgement.answer, choose_rejected(judgement.answer)
    best = choose_best([text for text in texts if refuse(text, rejected, answer) is None], answer)
    if best is None:
        return None
    why = ("checked:supported", f"sampled:{len(texts)}")
    return make_pair(answer, (best, rejected), "regenerated", votes=judgement.votes, weight=judgement.weight, why=why)


def choose_best(texts: Sequence[str], answer: Answer) -> str | None:
    """The text that its passages carry furthest, then the shortest; a refusal is no improvement that can be checked."""
    sources = [f"{passage['title']}\n{passage['text']}" for passage in answer.passages or []]
    told = sorted({text.strip() for text in texts if text.strip() and not is_refusal(text)})
    return max(told, key=lambda text: (measure_carried(text, sources), -len(text)), default=None)


async def sample(sampler: Sampler, wanted: Sequence[tuple[int, Sequence[Any], int]]) -> list[tuple[int, int, str]]:
    """Answers to prompts, all at once, as far as time allows: key, seed and text of each, by key and seed.

    Args:
        wanted: key, messages and seed of each.
    """
    gate = asyncio.Semaphore(AT_ONCE)
    done: list[tuple[int, int, str]] = []
    errors: list[ModelServerError] = []

    async def ask(key: int, messages: Sequence[Any], seed: int) -> None:
        sampling = Sampling(max_tokens=sampler.max_tokens, temperature=TEMPERATURE, top_p=TOP_P, seed=seed)
        async with gate:
            try:
                found = await sampler.model_server.complete(messages, adapter=sampler.adapter, sampling=sampling)
            except ModelServerError as error:
                errors.append(error)
            else:
                done.append((key, seed, clean_text(found.text)))

    with suppress(TimeoutError):
        async with asyncio.timeout(sampler.seconds):
            await asyncio.gather(*(ask(*one) for one in wanted))
    if len(done) < len(wanted):
        reason = str(errors[0]) if errors else "out of time"
        log.warning("not all answers were sampled", extra={"sampled": len(done), "wanted": len(wanted), "why": reason})
    return sorted(done)
