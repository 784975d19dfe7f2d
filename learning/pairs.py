"""Preference pairs from judgements, in the order of trust in where they come from; see docs/feedback.md."""

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import cycle, islice
from typing import Any, Literal

from core.prompt import Message, restore_prompt
from core.wording import find_citations, is_refusal, normalise_text
from learning.labels import Answer, Judgement, VoteRow
from learning.refusals import choose_rejected, find_unsupported, refuse, share_passages
from learning.signals import ORIGIN_TRUST, Origin
from learning.tickets import Ticket
from learning.wording import find_supporting

_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Pair:
    """One preference: after `prompt`, people want `chosen` rather than `rejected`.

    Attributes:
        voters: persons here, pseudonyms in the tables.
        access: the principals that may read each document of the prompt, one tuple a document.
        weight: chance that it is so by the votes, in (0.5, 1).
        given_at: when the newest vote behind it was given; without a vote, when its answer was finished.
        documents: id and version of each document of the prompt, as it was shown.
        confidence: the weight by the trust in the origin, in (0, 1).
        why: what speaks for it, as `kind:value`: the fault that it mends, its signals, what was checked.
    """

    prompt: list[Message]
    chosen: str
    rejected: str
    origin: Origin
    question: str
    language: Literal["en", "ko"]
    interaction_ids: tuple[int, ...]
    feedback_ids: tuple[int, ...]
    voters: tuple[str, ...]
    access: tuple[tuple[str, ...], ...]
    weight: float
    given_at: datetime
    documents: tuple[tuple[int, int], ...] = ()
    confidence: float = 0.5
    why: tuple[str, ...] = ()

    @property
    def sha256(self) -> str:
        """Identity by content: prompt and both sides."""
        content = json.dumps([self.prompt, self.chosen, self.rejected], ensure_ascii=False, sort_keys=True)
        return hashlib.sha256(content.encode()).hexdigest()

    @property
    def cluster(self) -> str:
        """The normalised question; everything of one cluster stays on one side of the split."""
        return normalise_text(self.question)


@dataclass(slots=True)
class PairsBuilt:
    """The pairs, the document tickets, the judgements that found no other side, and the reason for every vote left."""

    pairs: list[Pair] = field(default_factory=list[Pair])
    tickets: list[Ticket] = field(default_factory=list[Ticket])
    singles: list[Judgement] = field(default_factory=list[Judgement])
    dropped: dict[int, str] = field(default_factory=dict[int, str])


def build_pairs(
    judgements: Sequence[Judgement],
    *,
    faults: Mapping[int, str] | None = None,
    first_tries: Mapping[int, Answer] | None = None,
) -> PairsBuilt:
    """Every pair that the judgements hold; votes that find no other side are dropped as `unpaired`, and are singles.

    Args:
        faults: what was wrong with a disliked answer, by interaction, for the record.
        first_tries: answers without a vote that somebody asked for once more.
    """
    builder = _Builder(faults or {}, first_tries or {})
    leftover = [one for one in judgements if not builder.pair_corrections(one) and not builder.pair_quotation(one)]
    for cluster in group_by_question(leftover):
        builder.pair_same_question(cluster)
    built = builder.built
    used = {feedback_id for pair in built.pairs for feedback_id in pair.feedback_ids}
    built.dropped = {key: reason for key, reason in built.dropped.items() if key not in used}
    built.singles = [
        judgement
        for judgement in leftover
        if any(built.dropped.get(vote.feedback_id) == "unpaired" for vote in judgement.votes)
    ]
    return built


def group_by_question(judgements: Sequence[Judgement]) -> list[list[Judgement]]:
    """Judgements of one question and language together; a second try belongs to its first."""
    answers = {judgement.answer.id: judgement.answer for judgement in judgements}
    clusters: dict[tuple[str, str], list[Judgement]] = defaultdict(list)
    for judgement in judgements:
        first = find_first(judgement.answer, answers)
        clusters[normalise_text(first.question), first.language].append(judgement)
    return list(clusters.values())


def find_first(answer: Answer, answers: Mapping[int, Answer]) -> Answer:
    """The first try of an answer, as far back as tries are known: spelling help may reword a second one."""
    while (earlier := answers.get(answer.again_of or 0)) and earlier.id < answer.id:
        answer = earlier
    return answer


def cite(correction: str, passages: Sequence[dict[str, Any]]) -> str:
    """The correction with the numbers of its supporting passages, where the person wrote none."""
    if find_citations(correction) or is_refusal(correction):
        return correction.strip()
    marks = "".join(f"[{number}]" for number in find_supporting(correction, passages))
    return f"{correction.strip()} {marks}".strip()


def make_pair(
    answer: Answer,
    sides: tuple[str, str],
    origin: Origin,
    *,
    votes: Sequence[VoteRow],
    weight: float,
    other: Answer | None = None,
    why: Iterable[str] = (),
) -> Pair:
    """A pair in the prompt of `answer`; `sides` are chosen and rejected, `other` where the rejected came from."""
    passages = answer.passages or []
    documents = {(p["document_id"], p.get("document_version", 1)) for p in passages if "document_id" in p}
    signals = {f"signal:{vote.signal}" for vote in votes}
    others = other.example_access if other else ()
    return Pair(
        prompt=restore_prompt(answer.messages or []),
        chosen=sides[0],
        rejected=sides[1],
        origin=origin,
        question=answer.question,
        language=answer.language,
        interaction_ids=(answer.id, other.id) if other else (answer.id,),
        feedback_ids=tuple(sorted(vote.feedback_id for vote in votes)),
        voters=tuple(sorted({vote.person for vote in votes})),
        access=tuple(sorted({tuple(sorted(allow)) for allow in (*answer.access, *others)})),
        weight=weight,
        given_at=max((vote.given_at for vote in votes), default=answer.finished_at or _LONG_AGO),
        documents=tuple(sorted(documents)),
        confidence=round(weight * ORIGIN_TRUST[origin], 6),
        why=tuple(sorted({*why, *signals})),
    )


class _Builder:
    """Gathers pairs, tickets and reasons."""

    def __init__(self, faults: Mapping[int, str], first_tries: Mapping[int, Answer]) -> None:
        self._faults = faults
        self._first_tries = first_tries
        self.built = PairsBuilt()

    def pair_corrections(self, judgement: Judgement) -> bool:
        """Turn the corrections of a disliked answer into pairs; false where there are none."""
        by_text: dict[str, list[VoteRow]] = defaultdict(list)
        for vote in judgement.votes:
            if vote.correction and vote.value < 0:
                by_text[vote.correction].append(vote)
        for correction, votes in by_text.items():
            self._pair_one_correction(judgement, correction, votes)
        if by_text:
            silent = [vote for vote in judgement.votes if not vote.correction]
            self._join_silent_votes(silent, judgement.answer.id)
        return bool(by_text)

    def pair_quotation(self, judgement: Judgement) -> bool:
        """A liked quotation is what the model should have written in place of text that its passages did not carry."""
        answer = judgement.answer
        replaced = judgement.value > 0 and answer.mode == "quoted" and answer.mode_reason == "quoted_unsupported"
        if not replaced or not answer.generated or not answer.answer:
            return False
        if refuse(answer.answer, answer.generated, answer):
            return False
        sides, votes = (answer.answer, answer.generated), judgement.votes
        self._add(make_pair(answer, sides, "quotation", votes=votes, weight=judgement.weight))
        return True

    def pair_same_question(self, cluster: Sequence[Judgement]) -> None:
        """Each liked answer of a question against a disliked one that was drawn from overlapping passages.

        An answer that was tried again is held against its second try first: the same person saw both.
        """
        self._drop((vote for judgement in cluster for vote in judgement.votes), "unpaired")
        liked = [judgement for judgement in cluster if judgement.value > 0]
        disliked = [judgement for judgement in cluster if judgement.value < 0]
        for up in liked:
            self._pair_first_try(up)
        if not liked or not disliked:
            return
        retried = [(up, down) for up in liked for down in disliked if _is_again(up.answer, down.answer)]
        paired = {judgement.answer.id for pair in retried for judgement in pair}
        count = max(len(liked), len(disliked))
        others = islice(zip(cycle(liked), cycle(disliked), strict=False), count)
        for up, down in [*retried, *(pair for pair in others if not {one.answer.id for one in pair} <= paired)]:
            self._pair_two_answers(up, down)

    def _pair_one_correction(self, judgement: Judgement, correction: str, votes: list[VoteRow]) -> None:
        answer = judgement.answer
        rejected = choose_rejected(answer)
        reason = refuse(correction, rejected, answer, with_citations=bool(find_citations(correction)))
        if reason == "unsupported_facts":
            titles = sorted({passage["title"] for passage in answer.passages or []})
            missing = find_unsupported(correction, answer)
            self.built.tickets.append(Ticket(answer.id, answer.question, correction, missing, titles))
            reason = "document_ticket"
        if reason:
            self._drop(votes, reason)
            return
        chosen = cite(correction, answer.passages or [])
        why = (*self._find_fault(answer), "checked:supported")
        self._add(make_pair(answer, (chosen, rejected), "correction", votes=votes, weight=judgement.weight, why=why))

    def _join_silent_votes(self, silent: Sequence[VoteRow], interaction_id: int) -> None:
        """People who disliked the answer without a correction stand behind the pair that another's correction made."""
        for at, pair in enumerate(self.built.pairs):
            if pair.interaction_ids == (interaction_id,) and silent:
                self.built.pairs[at] = _with_votes(pair, silent)
                return
        self._drop(silent, "unpaired")

    def _pair_first_try(self, up: Judgement) -> None:
        """Who asked once more and liked the second answer preferred it to the first, though the first has no vote."""
        first = self._first_tries.get(up.answer.again_of or 0)
        if first is None or not share_passages(up.answer, first):
            return
        sides = (up.answer.answer or "", choose_rejected(first))
        if refuse(*sides, up.answer) is None:
            why = ("choice:liked_second", "checked:same_passages", "checked:supported")
            self._add(make_pair(up.answer, sides, "try_again", votes=up.votes, weight=up.weight, other=first, why=why))

    def _pair_two_answers(self, up: Judgement, down: Judgement) -> None:
        sides = (up.answer.answer or "", choose_rejected(down.answer))
        votes = [*up.votes, *down.votes]
        reason = None if share_passages(up.answer, down.answer) else "other_passages"
        reason = reason or refuse(*sides, up.answer)
        if reason:
            self._drop(votes, reason)
            return
        chose = {vote.person for vote in up.votes} & {vote.person for vote in down.votes}
        origin: Origin = "try_again" if chose and _is_again(up.answer, down.answer) else "same_question"
        choice = ("choice:liked_second_disliked_first",) if origin == "try_again" else ()
        why = (*self._find_fault(down.answer), *choice, "checked:same_passages", "checked:supported")
        # The chosen side's own prompt, so that its citations point at the passages it was written from.
        weight = min(up.weight, down.weight)
        self._add(make_pair(up.answer, sides, origin, votes=votes, weight=weight, other=down.answer, why=why))

    def _find_fault(self, answer: Answer) -> tuple[str, ...]:
        return (f"fault:{self._faults[answer.id]}",) if answer.id in self._faults else ()

    def _add(self, pair: Pair) -> None:
        self.built.pairs.append(pair)

    def _drop(self, votes: Iterable[VoteRow], reason: str) -> None:
        self.built.dropped |= {vote.feedback_id: reason for vote in votes}


def _with_votes(pair: Pair, votes: Sequence[VoteRow]) -> Pair:
    return replace(
        pair,
        feedback_ids=tuple(sorted({*pair.feedback_ids, *(vote.feedback_id for vote in votes)})),
        voters=tuple(sorted({*pair.voters, *(vote.person for vote in votes)})),
        why=tuple(sorted({*pair.why, *(f"signal:{vote.signal}" for vote in votes)})),
    )


def _is_again(one: Answer, other: Answer) -> bool:
    return one.again_of == other.id or other.again_of == one.id
