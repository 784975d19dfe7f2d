"""Preference pairs from judgements.

Three origins: a correction against the answer shown; a liked quotation against the unsupported text it replaced;
and one question with a liked and a disliked answer.
"""

import hashlib
import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import cycle, islice
from typing import Any, Literal

from core.prompt import Message
from core.wording import SUPPORTED_SHARE, find_citations, is_refusal, measure_support, normalise_text, strip_citations
from learning.labels import Answer, Judgement, VoteRow
from learning.wording import find_missing_facts, find_supporting

Origin = Literal["correction", "quotation", "same_question"]


@dataclass(frozen=True, slots=True)
class Pair:
    """One preference: after `prompt`, people want `chosen` rather than `rejected`.

    Attributes:
        access: the principals that may read each document of the prompt, one tuple a document.
        weight: expected share of people who would agree, in (0.5, 1).
        given_at: when the newest vote behind it was given.
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

    @property
    def sha256(self) -> str:
        """Identity by content: prompt and both sides."""
        content = json.dumps([self.prompt, self.chosen, self.rejected], ensure_ascii=False, sort_keys=True)
        return hashlib.sha256(content.encode()).hexdigest()

    @property
    def cluster(self) -> str:
        """The normalised question; everything of one cluster stays on one side of the split."""
        return normalise_text(self.question)


@dataclass(frozen=True, slots=True)
class Ticket:
    """A correction whose facts stand in no passage: the documents need mending, not the model."""

    interaction_id: int
    question: str
    correction: str
    missing: list[str]
    titles: list[str]


@dataclass(slots=True)
class PairsBuilt:
    """The pairs, the document tickets, and the reason for each vote that is behind neither."""

    pairs: list[Pair] = field(default_factory=list)
    tickets: list[Ticket] = field(default_factory=list)
    dropped: dict[int, str] = field(default_factory=dict)


def build_pairs(judgements: Sequence[Judgement]) -> PairsBuilt:
    """Every pair that the judgements hold; single votes that find no other side are dropped as `unpaired`."""
    built = PairsBuilt()
    leftover = [
        judgement
        for judgement in judgements
        if not _pair_corrections(judgement, built) and not _pair_quotation(judgement, built)
    ]
    clusters: dict[tuple[str, str], list[Judgement]] = defaultdict(list)
    answers = {judgement.answer.id: judgement.answer for judgement in judgements}
    for judgement in leftover:
        first = _find_first(judgement.answer, answers)
        clusters[normalise_text(first.question), first.language].append(judgement)
    for cluster in clusters.values():
        _pair_same_question(cluster, built)
    used = {feedback_id for pair in built.pairs for feedback_id in pair.feedback_ids}
    built.dropped = {key: reason for key, reason in built.dropped.items() if key not in used}
    return built


def choose_rejected(answer: Answer) -> str:
    """What the model said: where its answer was replaced by quotations, the unsupported text itself."""
    is_replaced = answer.mode in ("quoted", "refused") and answer.generated
    return (answer.generated if is_replaced else answer.answer) or ""


def cite(correction: str, passages: Sequence[dict[str, Any]]) -> str:
    """The correction with the numbers of its supporting passages, where the person wrote none."""
    if find_citations(correction) or is_refusal(correction):
        return correction.strip()
    marks = "".join(f"[{number}]" for number in find_supporting(correction, passages))
    return f"{correction.strip()} {marks}".strip()


def says_the_same(chosen: str, rejected: str, *, with_citations: bool) -> bool:
    """Whether two sides differ in nothing but case, punctuation and, unless asked for, citations."""
    if normalise_text(chosen) != normalise_text(rejected):
        return False
    return not with_citations or find_citations(chosen) == find_citations(rejected)


def find_unsupported(correction: str, answer: Answer) -> list[str]:
    """What of a correction the passages do not hold; empty where they support it."""
    if is_refusal(correction):
        return []
    passages = answer.passages or []
    cited_wrongly = [f"[{n}]" for n in find_citations(correction) if n not in {p["number"] for p in passages}]
    sources = [_full_text(passage) for passage in passages]
    missing = cited_wrongly + find_missing_facts(correction, [*sources, answer.question])
    if not missing and measure_support(correction, [*sources, answer.question]) < SUPPORTED_SHARE:
        return [strip_citations(correction).strip()]
    return missing


def _pair_corrections(judgement: Judgement, built: PairsBuilt) -> bool:
    """Turn the corrections of a disliked answer into pairs; false where there are none."""
    by_text: dict[str, list[VoteRow]] = defaultdict(list)
    for vote in judgement.votes:
        if vote.correction and vote.value < 0:
            by_text[vote.correction].append(vote)
    for correction, votes in by_text.items():
        _pair_one_correction(judgement, correction, votes, built)
    if by_text:
        silent = [vote for vote in judgement.votes if not vote.correction]
        _join_silent_votes(silent, judgement.answer.id, built)
    return bool(by_text)


def _pair_one_correction(judgement: Judgement, correction: str, votes: list[VoteRow], built: PairsBuilt) -> None:
    answer = judgement.answer
    missing = find_unsupported(correction, answer)
    rejected = choose_rejected(answer)
    reason = None
    if missing:
        titles = sorted({passage["title"] for passage in answer.passages or []})
        built.tickets.append(Ticket(answer.id, answer.question, correction, missing, titles))
        reason = "document_ticket"
    elif says_the_same(correction, rejected, with_citations=bool(find_citations(correction))):
        reason = "same_text"
    if reason:
        built.dropped |= {vote.feedback_id: reason for vote in votes}
        return
    chosen = cite(correction, answer.passages or [])
    built.pairs.append(_build_pair(answer, (chosen, rejected), "correction", votes=votes, weight=judgement.weight))


def _join_silent_votes(silent: list[VoteRow], interaction_id: int, built: PairsBuilt) -> None:
    """People who disliked the answer without a correction stand behind the pair that another's correction made."""
    for at, pair in enumerate(built.pairs):
        if pair.interaction_ids == (interaction_id,) and silent:
            votes = {vote.feedback_id: vote.person for vote in silent}
            built.pairs[at] = _with_votes(pair, votes)
            return
    built.dropped |= {vote.feedback_id: "unpaired" for vote in silent}


def _pair_quotation(judgement: Judgement, built: PairsBuilt) -> bool:
    """A liked quotation is what the model should have written instead of text that its passages did not carry."""
    answer = judgement.answer
    replaced = judgement.value > 0 and answer.mode == "quoted" and answer.mode_reason == "quoted_unsupported"
    if not replaced or not answer.generated or not answer.answer:
        return False
    if says_the_same(answer.answer, answer.generated, with_citations=True):
        return False
    sides, votes = (answer.answer, answer.generated), list(judgement.votes)
    built.pairs.append(_build_pair(answer, sides, "quotation", votes=votes, weight=judgement.weight))
    return True


def _with_votes(pair: Pair, votes: dict[int, str]) -> Pair:
    return replace(
        pair,
        feedback_ids=tuple(sorted({*pair.feedback_ids, *votes})),
        voters=tuple(sorted({*pair.voters, *votes.values()})),
    )


def _pair_same_question(cluster: list[Judgement], built: PairsBuilt) -> None:
    """Each liked answer of a question against a disliked one that was drawn from overlapping passages.

    An answer that was tried again is held against its second try first: the same person saw both.
    """
    built.dropped |= {vote.feedback_id: "unpaired" for judgement in cluster for vote in judgement.votes}
    liked = [judgement for judgement in cluster if judgement.value > 0]
    disliked = [judgement for judgement in cluster if judgement.value < 0]
    if not liked or not disliked:
        return
    retried = [(up, down) for up in liked for down in disliked if _is_again(up.answer, down.answer)]
    paired = {judgement.answer.id for pair in retried for judgement in pair}
    count = max(len(liked), len(disliked))
    others = islice(zip(cycle(liked), cycle(disliked), strict=False), count)
    for up, down in [*retried, *(pair for pair in others if not {one.answer.id for one in pair} <= paired)]:
        _pair_two_answers(up, down, built)


def _find_first(answer: Answer, answers: dict[int, Answer]) -> Answer:
    """The first try of an answer, as far back as tries were voted on: spelling help may reword a second one."""
    while answer.again_of in answers and answer.again_of < answer.id:
        answer = answers[answer.again_of]
    return answer


def _is_again(one: Answer, other: Answer) -> bool:
    return one.again_of == other.id or other.again_of == one.id


def _pair_two_answers(up: Judgement, down: Judgement, built: PairsBuilt) -> None:
    chosen, rejected = up.answer.answer or "", choose_rejected(down.answer)
    votes = [*up.votes, *down.votes]
    reason = None
    if not _chunk_ids(up.answer) & _chunk_ids(down.answer):
        reason = "other_passages"
    elif says_the_same(chosen, rejected, with_citations=True):
        reason = "same_text"
    if reason:
        built.dropped |= {vote.feedback_id: reason for vote in votes}
        return
    # The chosen side's own prompt, so that its citations point at the passages it was written from.
    weight = min(up.weight, down.weight)
    sides = (chosen, rejected)
    built.pairs.append(_build_pair(up.answer, sides, "same_question", votes=votes, weight=weight, other=down.answer))


def _build_pair(
    answer: Answer,
    sides: tuple[str, str],
    origin: Origin,
    *,
    votes: list[VoteRow],
    weight: float,
    other: Answer | None = None,
) -> Pair:
    """A pair in the prompt of `answer`; `sides` are chosen and rejected, `other` where the rejected came from."""
    access = {tuple(sorted(passage.get("allow") or [])) for passage in answer.passages or []}
    return Pair(
        prompt=answer.messages or [],
        chosen=sides[0],
        rejected=sides[1],
        origin=origin,
        question=answer.question,
        language=answer.language,
        interaction_ids=(answer.id, other.id) if other else (answer.id,),
        feedback_ids=tuple(sorted(vote.feedback_id for vote in votes)),
        voters=tuple(sorted({vote.person for vote in votes})),
        access=tuple(sorted(access)),
        weight=weight,
        given_at=max(vote.given_at for vote in votes),
    )


def _chunk_ids(answer: Answer) -> set[int]:
    return {passage["chunk_id"] for passage in answer.passages or []}


def _full_text(passage: dict[str, Any]) -> str:
    return f"{passage['title']}\n{passage.get('heading_path', '')}\n{passage['text']}"
