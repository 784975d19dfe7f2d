"""The clients of the log's benchmark: what they do, step by step, and what the log acknowledged to them."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass, field

from benchmarks.instant_model_server import MODEL
from core.database import Database
from core.feedback import FeedbackLog
from core.interactions import Interactions
from core.model_server import Generation, ModelServer, Sampling
from core.prompt import Message
from core.records import Feedback, Outcome, Passage, Question

WARM_UP_SECONDS = 0.5
READ_BACK_EVERY = 20

Step = Callable[[int], Awaitable[list[float]]]


@dataclass(slots=True)
class Cell:
    """One loop of some clients: how many steps it made in how many seconds, and what each took."""

    steps: int = 0
    seconds: float = 0.0
    latencies: list[float] = field(default_factory=list[float])

    @property
    def rate(self) -> float:
        """Steps a second, all clients together."""
        return self.steps / self.seconds

    def milliseconds(self, share: float) -> float:
        """Latency that this share of the measured calls stayed within (nearest rank)."""
        ordered = sorted(self.latencies)
        return 1000 * ordered[min(len(ordered) - 1, int(share * len(ordered)))]


class Workload:
    """The clients' steps, and a count of what the log acknowledged, to be held against its tables.

    Args:
        run: marks this run's rows in a database that holds others.
    """

    def __init__(self, *, database: Database, model_server: ModelServer, seed: int, run: str) -> None:
        self._database = database
        self._model_server = model_server
        self._interactions = Interactions(database)
        self._feedback = FeedbackLog(database)
        self._passages = build_passages(random.Random(seed))
        self._messages = build_messages(self._passages)
        self.run = run
        self.answer_ids: list[int] = []
        self.votes = 0

    async def answer_unlogged(self, client: int) -> list[float]:
        """The baseline: ask the model server and nothing else."""
        began = time.perf_counter()
        await self._generate(None)
        return [time.perf_counter() - began]

    async def answer(self, client: int) -> list[float]:
        """Begin, stream, finish."""
        began = time.perf_counter()
        await self._answer(client)
        return [time.perf_counter() - began]

    async def answer_and_vote(self, client: int) -> list[float]:
        """A vote right after its answer; only the vote is timed."""
        return await self._vote(await self._answer(client), f"user:{client}")

    async def vote(self, client: int) -> list[float]:
        """A vote on an answer that is stored already."""
        return await self._vote(self.answer_ids[(self.votes * 7919) % len(self.answer_ids)], f"user:{self.votes}")

    async def _answer(self, client: int) -> int:
        question = Question("web", f"{self.run}:{client}", f"user:{client}", ["everyone"], "How much leave?", "en")
        begun = await self._interactions.begin(question)
        sampling = Sampling()
        generation = await self._generate(sampling)
        await self._interactions.finish(
            Outcome(
                begun.id,
                generation.text,
                "generated",
                standalone_question=question.text,
                model=MODEL,
                adapter=begun.adapter,
                messages=self._messages,
                sampling=asdict(sampling),
                passages=self._passages,
                generated=generation.text,
                citations=[1],
                prompt_tokens=generation.prompt_tokens,
                completion_tokens=generation.completion_tokens,
                first_token_seconds=generation.first_token_seconds,
                answer_seconds=generation.seconds,
            )
        )
        self.answer_ids.append(begun.id)
        return begun.id

    async def _generate(self, sampling: Sampling | None) -> Generation:
        generation = Generation()
        async for _ in self._model_server.stream(self._messages, generation=generation, sampling=sampling):
            pass
        return generation

    async def _vote(self, interaction_id: int, person: str) -> list[float]:
        began = time.perf_counter()
        await self._feedback.record(Feedback(interaction_id, person, 1, "web"))
        latency = time.perf_counter() - began
        self.votes += 1
        if self.votes % READ_BACK_EVERY == 0 and await self._feedback.get_value(interaction_id, person) != 1:
            raise SystemExit(f"a vote on answer {interaction_id} was acknowledged and cannot be read")
        return [latency]


def build_passages(words: random.Random) -> list[Passage]:
    """Three passages of about 800 characters, the size that the chunker makes of a page."""
    syllables = ("leave", "days", "travel", "expense", "manager", "before", "the", "of", "in", "March", "approval", "a")
    texts = [" ".join(words.choices(syllables, k=150)) for _ in range(3)]
    return [
        Passage(number, 100 + number, 10, 1, "Leave", "Leave > Annual leave", "people/leave.en.md", None, 0, len(text),
                text, "en", 0.9, 0.7, 12.0, ["everyone"])
        for number, text in enumerate(texts, 1)
    ]  # fmt: skip


def build_messages(passages: list[Passage]) -> list[Message]:
    """About 3 kB: a system text, the passages with their numbers, the question."""
    shown = "\n\n".join(f"[{passage.number}] {passage.title}\n{passage.text}" for passage in passages)
    system = "Answer from the passages only, in the language of the question, and cite each by its number. " * 4
    return [{"role": "system", "content": system}, {"role": "user", "content": f"{shown}\n\nHow much leave?"}]


async def run_clients(step: Step, *, clients: int, seconds: float) -> Cell:
    """Let each client make one step after the other; the warm-up before is not counted."""
    await _loop(step, clients, min(WARM_UP_SECONDS, seconds))
    return await _loop(step, clients, seconds)


async def _loop(step: Step, clients: int, seconds: float) -> Cell:
    cell = Cell()
    began = time.perf_counter()

    async def run_client(client: int) -> None:
        while time.perf_counter() - began < seconds:
            cell.latencies += await step(client)
            cell.steps += 1

    async with asyncio.TaskGroup() as group:
        for client in range(clients):
            group.create_task(run_client(client))
    cell.seconds = time.perf_counter() - began
    return cell
