"""What a question lacks is what its first right answer was given."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from core.prompt import PromptExample
from core.records import Outcome, Passage
from learning.advice.diagnosis import Behaviour, Context, Diagnosis, Suspect, diagnose

RIGHT = Passage(1, 7, 1, 1, "Leave", "", "leave.md", None, 0, 9, "23 days of leave", "en", 1, 0, 0, ["everyone"])
OTHER = replace(RIGHT, chunk_id=8, document_id=2, text="Leave is asked for in the portal", path="portal.md")
BESIDE = replace(RIGHT, chunk_id=9, text="Leave does not expire")
EXAMPLE = PromptExample("How many?", "Four. [1]")

Answers = Callable[[dict[str, Any]], bool]


@dataclass
class Service:
    """A service whose search finds `finds`, best first, and which is right where `answers` says so of its question."""

    answers: Answers
    finds: Sequence[Passage] = (OTHER,)
    mode_reason: str | None = None
    passages: int = 3
    asked: list[dict[str, Any]] = field(default_factory=list)

    async def find(self, question: str, principals: Sequence[str], *, limit: int) -> list[Passage]:
        return list(self.finds[:limit])

    async def ask(self, question: str, principals: Sequence[str], **change: Any) -> Outcome:
        shown = change.get("passages") or await self.find(question, principals, limit=change.get("limit") or 3)
        self.asked.append({**change, "shown": [one.chunk_id for one in shown]})
        text = "23 days [1]" if self.answers(self.asked[-1]) else "No idea."
        reason = self.mode_reason if len(self.asked) == 1 else None
        return Outcome(0, text, "generated", reason, adapter=change["adapter"], passages=list(shown), prompt_tokens=100,
                       completion_tokens=10, answer_seconds=0.5)  # fmt: skip


SUSPECT = Suspect(
    "golden:1", "How many days?", "en", ["everyone"], lambda outcome: "23 days" in outcome.answer,
    lambda text: "23 days" in text, "there", [RIGHT],
)  # fmt: skip


async def examine(service: Service, suspect: Suspect = SUSPECT, **options: Any) -> Diagnosis:
    options = {"others": ("night-1",), "examples": [EXAMPLE], **options}
    return await diagnose(suspect, service, adapter=None, **options)


def given_right(asked: dict[str, Any]) -> bool:
    return 7 in asked["shown"]


@pytest.mark.parametrize(
    ("finds", "context", "rank"),
    [
        ((OTHER,), "retrieval", None),
        ((OTHER, OTHER, OTHER, OTHER, RIGHT), "retrieval", 5),
        ((OTHER, BESIDE), "chunking", None),
    ],
)
async def test_with_the_right_passage_it_is_the_contexts_fault(
    finds: Sequence[Passage], context: Context, rank: int | None
) -> None:
    found = await examine(Service(lambda asked: asked["shown"] == [7], finds))
    assert (found.context, found.behaviour, found.rank) == (context, None, rank)
    assert [run.name for run in found.runs] == ["now", "right_passage"]
    assert found.runs[1].prompt_tokens == 100


@pytest.mark.parametrize(("reason", "context"), [(None, "crowded"), ("doubted", "doubted")])
async def test_a_right_passage_that_was_shown_was_lost_or_doubted(reason: str | None, context: Context) -> None:
    found = await examine(Service(lambda asked: asked["shown"] == [7], (OTHER, RIGHT), reason))
    assert (found.context, found.behaviour) == (context, None)


@pytest.mark.parametrize("standing", ["missing", "stale"])
async def test_a_document_that_does_not_say_it_is_stood_in_for_by_the_right_answer(standing: Any) -> None:
    service = Service(lambda asked: asked["shown"] == [0])
    found = await examine(service, replace(SUSPECT, standing=standing, right=[], known="They have 23 days."))
    assert (found.context, found.behaviour) == (standing, None)
    assert service.asked[1]["passages"][0].text == "They have 23 days."


async def test_an_old_edition_in_the_way_is_a_stale_document() -> None:
    suspect = replace(SUSPECT, is_superseded=lambda shown: OTHER in shown)
    assert (await examine(Service(given_right), suspect)).context == "stale"


async def test_what_the_asker_may_not_read_is_asked_about_no_further() -> None:
    service = Service(lambda _: False)
    found = await examine(service, replace(SUSPECT, standing="hidden", right=[], known="They have 23 days."))
    assert (found.context, found.behaviour, len(service.asked)) == ("hidden", None, 1)


@pytest.mark.parametrize(
    ("answers", "behaviour", "runs"),
    [
        (lambda asked: bool(asked.get("examples")), "examples", ["now", "right_passage", "examples"]),
        (lambda asked: bool(asked.get("is_reworded")), "wording", 5),
        (lambda asked: asked["adapter"] == "night-1", "adapter", 6),
        (lambda _: False, "memory", 6),
    ],
)
async def test_where_the_right_passage_was_shown_behaviour_is_changed(
    answers: Answers, behaviour: Behaviour, runs: list[str] | int
) -> None:
    service = Service(answers, (RIGHT, OTHER))
    found = await examine(service)
    assert (found.context, found.behaviour) == (None, behaviour)
    assert runs in ([run.name for run in found.runs], len(found.runs))
    changed = [asked for asked in service.asked[2:] if "limit" not in asked or not asked["limit"]]
    assert all(asked["shown"] == [7, 8] for asked in changed), "beside what people are shown"


async def test_both_are_lacking_where_the_right_passage_helps_only_with_examples() -> None:
    service = Service(lambda asked: given_right(asked) and bool(asked.get("examples")))
    found = await examine(service)
    assert (found.context, found.behaviour) == ("retrieval", "examples")


async def test_a_larger_budget_may_be_all_it_takes() -> None:
    found = await examine(Service(lambda asked: len(asked["shown"]) > 3, (OTHER, BESIDE, OTHER, OTHER, RIGHT)))
    assert (found.context, found.behaviour) == ("budget", None)


async def test_where_refusing_is_right_there_is_no_passage_to_give() -> None:
    service = Service(lambda asked: bool(asked.get("is_reworded")))
    found = await examine(service, replace(SUSPECT, standing="none", right=[]))
    assert (found.context, found.behaviour) == (None, "wording")
    assert [run.name for run in found.runs] == ["now", "examples", "wording"]


async def test_every_run_is_made_when_asked_for_and_the_first_that_is_right_counts() -> None:
    found = await examine(Service(given_right), every=True)
    assert (found.context, len(found.runs)) == ("retrieval", 6)
    assert found.mends("examples") and not found.mends("more_passages")


async def test_a_quotation_of_the_right_passage_is_not_the_models_answer() -> None:
    class Quoting(Service):
        async def ask(self, question: str, principals: Sequence[str], **change: Any) -> Outcome:
            return replace(await super().ask(question, principals, **change), mode="quoted")

    assert (await examine(Quoting(given_right))).behaviour == "memory"
    assert (await examine(Quoting(lambda _: True))).is_right, "as it is, people are helped by it"


async def test_a_right_answer_is_diagnosed_no_further() -> None:
    found = await examine(Service(lambda _: True))
    assert (found.is_right, found.context, found.behaviour, len(found.runs)) == (True, None, None, 1)


async def test_an_adapter_that_cannot_be_served_tells_nothing() -> None:
    class Fallen(Service):
        async def ask(self, question: str, principals: Sequence[str], **change: Any) -> Outcome:
            return replace(await super().ask(question, principals, **change), adapter=None)

    found = await examine(Fallen(lambda asked: asked["adapter"] == "night-1"))
    assert (found.behaviour, [run.name for run in found.runs][-1]) == ("memory", "wording")
