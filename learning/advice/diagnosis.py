"""Why a question fails: asked again under changed circumstances, one change at a time, until it is answered rightly.

The order is that of cost: context first, then what a prompt can mend, then weights. What no run mends must be learnt.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, Protocol

from core.prompt import Language, PromptExample
from core.records import Outcome, Passage

# Of the right answer in the documents, as its asker may read them; `none` where the right answer is a refusal.
Standing = Literal["there", "missing", "stale", "hidden", "none"]
Context = Literal["hidden", "missing", "stale", "retrieval", "doubted", "chunking", "crowded", "budget"]
Behaviour = Literal["examples", "wording", "adapter", "memory"]
RunName = Literal["now", "right_passage", "examples", "more_passages", "wording", "adapter"]

# How deep the right passage is looked for, and how many times the usual passages a larger budget is.
DEPTH, MORE = 60, 3
_REFUSED_UNREAD = "doubted"


class Asker(Protocol):
    """Asks as the service would for the same principals, but for what is changed."""

    @property
    def passages(self) -> int:
        """Passages of an answer."""
        ...

    async def find(self, question: str, principals: Sequence[str], *, limit: int) -> list[Passage]:
        """What the search finds, best first."""
        ...

    async def ask(
        self,
        question: str,
        principals: Sequence[str],
        *,
        adapter: str | None,
        passages: Sequence[Passage] | None = None,
        limit: int | None = None,
        examples: Sequence[PromptExample] = (),
        is_reworded: bool = False,
    ) -> Outcome:
        """The answer; ModelServerError where the model gave none."""
        ...


@dataclass(frozen=True, slots=True)
class Suspect:
    """A question with a known right answer.

    Attributes:
        principals: who asks, that is, what may be read in every run.
        is_right: whether an answer is; holds: whether a passage says it.
        right: passages that hold it; is_split: none of them alone.
        is_superseded: whether an old edition stands in the way of the right passages, given what was shown.
        known: the right answer in words, which stands in for a document that does not say it.
    """

    key: str
    question: str
    language: Language
    principals: Sequence[str]
    is_right: Callable[[Outcome], bool]
    holds: Callable[[str], bool]
    standing: Standing
    right: Sequence[Passage] = ()
    is_split: bool = False
    is_superseded: Callable[[Sequence[Passage]], bool] = lambda _: False
    known: str = ""


@dataclass(frozen=True, slots=True)
class Run:
    """One answer: whether it was right, and what it took.

    Attributes:
        adapter: that answered; None is the base model.
    """

    name: RunName
    is_right: bool
    prompt_tokens: int
    completion_tokens: int
    seconds: float
    adapter: str | None = None


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What a question lacks: right context, right behaviour, both; neither where it is answered rightly.

    Attributes:
        rank: of the right passage in a deeper search, from 1; None where it was not looked for or not found.
        runs: in their order, the answer as it is now first.
    """

    key: str
    is_right: bool
    context: Context | None = None
    behaviour: Behaviour | None = None
    rank: int | None = None
    runs: list[Run] = field(default_factory=list[Run])

    def find_run(self, name: RunName) -> Run | None:
        """The run of this name that was right, else the first of this name."""
        named = [run for run in self.runs if run.name == name]
        return next((run for run in named if run.is_right), named[0] if named else None)

    def mends(self, name: RunName) -> bool:
        """Whether that change was seen to mend it."""
        return any(run.is_right for run in self.runs if run.name == name)


async def diagnose(
    suspect: Suspect,
    asker: Asker,
    *,
    adapter: str | None,
    others: Sequence[str | None] = (),
    examples: Sequence[PromptExample] = (),
    every: bool = False,
) -> Diagnosis:
    """Ask as it is; where that is wrong, change one thing after the other until an answer is right.

    Args:
        adapter: that is served; others: that were, or could be.
        examples: questions with right answers that the asker may read.
        every: make all runs, also after one was right; the first that was right still counts.

    Raises:
        ModelServerError: the model went away; nothing is made up.
    """
    bench = _Bench(suspect, asker, adapter)
    shown = await bench.run("now")
    if bench.runs[0].is_right:
        return Diagnosis(suspect.key, is_right=True, runs=bench.runs)
    context, rank = await _read_context(suspect, asker, shown)
    # The asker may not read it, so no run may show it, and no change but a permission mends it.
    if context == "hidden" and not every:
        return Diagnosis(suspect.key, is_right=False, context="hidden", runs=bench.runs)
    given = _give(suspect) if suspect.standing in ("there", "missing", "stale") else None
    # Where the right passages were shown, what is changed next is changed beside what was shown.
    beside = given if context and context not in ("crowded", "hidden") else None
    for step in _plan(bench, given, beside, others, examples):
        await step()
        if bench.is_mended and not every:
            break
    context, behaviour = _judge(next((run for run in bench.runs if run.is_right), None), context)
    return Diagnosis(suspect.key, False, context, behaviour, rank, bench.runs)


def _judge(first: Run | None, context: Context | None) -> tuple[Context | None, Behaviour | None]:
    """What is lacking, by the first run that was right."""
    if context == "hidden":
        return "hidden", None
    if first and first.name == "right_passage":
        return context, None
    if first and first.name == "more_passages":
        return "budget", None
    # The right passages were shown, and without the others they did not help either: it was not the crowd.
    lacking = None if context == "crowded" else context
    behaviours: dict[RunName, Behaviour] = {"examples": "examples", "wording": "wording", "adapter": "adapter"}
    return lacking, behaviours[first.name] if first else "memory"


def _plan(
    bench: "_Bench",
    given: Sequence[Passage] | None,
    beside: Sequence[Passage] | None,
    others: Sequence[str | None],
    examples: Sequence[PromptExample],
) -> list[Callable[[], Awaitable[object]]]:
    steps: list[Callable[[], Awaitable[object]]] = []
    if given:
        steps.append(lambda: bench.run("right_passage", passages=given))
    if examples:
        steps.append(lambda: bench.run("examples", passages=beside, examples=examples))
    if bench.suspect.standing != "none":
        steps.append(lambda: bench.run("more_passages", limit=MORE * bench.asker.passages))
    steps.append(lambda: bench.run("wording", passages=beside, is_reworded=True))
    for other in others:
        steps.append(lambda other=other: bench.run("adapter", passages=beside, adapter=other))
    return steps


class _Bench:
    """Makes the runs of one question and keeps them."""

    def __init__(self, suspect: Suspect, asker: Asker, adapter: str | None) -> None:
        self.suspect = suspect
        self.asker = asker
        self._adapter = adapter
        self.runs: list[Run] = []

    @property
    def is_mended(self) -> bool:
        """Whether any run was right."""
        return any(run.is_right for run in self.runs)

    async def run(
        self,
        name: RunName,
        *,
        passages: Sequence[Passage] | None = None,
        limit: int | None = None,
        examples: Sequence[PromptExample] = (),
        is_reworded: bool = False,
        adapter: str | Literal[False] | None = False,
    ) -> Outcome:
        """Ask once; an adapter that could not be served tells nothing and leaves no run.

        A model that does not answer is quoted for, and a quotation of the right passage is right whatever the model
        can do: under changed circumstances only its own words count.
        """
        wanted = self._adapter if adapter is False else adapter
        outcome = await self.asker.ask(
            self.suspect.question,
            self.suspect.principals,
            adapter=wanted,
            passages=passages,
            limit=limit,
            examples=examples,
            is_reworded=is_reworded,
        )
        if adapter is False or outcome.adapter == wanted:
            self.runs.append(
                Run(
                    name,
                    self.suspect.is_right(outcome) and (name == "now" or self._is_own(outcome)),
                    outcome.prompt_tokens or 0,
                    outcome.completion_tokens or 0,
                    round(outcome.answer_seconds or 0.0, 3),
                    outcome.adapter,
                )
            )
        return outcome

    def _is_own(self, outcome: Outcome) -> bool:
        return outcome.mode == "generated" or self.suspect.standing == "none"


async def _read_context(suspect: Suspect, asker: Asker, outcome: Outcome) -> tuple[Context | None, int | None]:
    """What was wrong with the passages that the answer had; None where nothing was, or nothing was to be found."""
    if suspect.standing != "there":
        faults: dict[Standing, Context] = {"hidden": "hidden", "missing": "missing", "stale": "stale"}
        return faults.get(suspect.standing), None
    documents, shown = {passage.document_id for passage in suspect.right}, outcome.passages
    if any(one.document_id in documents and suspect.holds(one.text) for one in shown):
        return ("doubted" if outcome.mode_reason == _REFUSED_UNREAD else "crowded"), None
    if suspect.is_split or any(one.document_id in documents for one in shown):
        return "chunking", None
    if suspect.is_superseded(shown):
        return "stale", None
    deeper = await asker.find(suspect.question, suspect.principals, limit=DEPTH)
    wanted = {passage.chunk_id for passage in suspect.right}
    return "retrieval", next((at for at, one in enumerate(deeper, start=1) if one.chunk_id in wanted), None)


def _give(suspect: Suspect) -> list[Passage] | None:
    """The right passages, or the right answer in place of a document that should say it."""
    if suspect.right:
        return [replace(passage, number=number) for number, passage in enumerate(suspect.right, start=1)]
    if not suspect.known:
        return None
    text, allow = suspect.known, list(suspect.principals)
    return [Passage(1, 0, 0, 0, suspect.question, "", "", None, 0, len(text), text, suspect.language, 1, 0, 0, allow)]
