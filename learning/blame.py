"""Whose fault a disliked answer was: the search's, the documents', or the model's. Only the last makes pairs.

Evidence goes before guesses: a person who named the right source, a correction whose facts stand elsewhere, an answer
that was liked later and drew on other passages. Where there is none, the passages were right and the answer is judged
by its own words.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from core.prompt import detect_language
from core.wording import SUPPORTED_SHARE, find_citations, is_refusal
from learning.labels import Answer, Judgement, VoteRow
from learning.library import Library
from learning.refusals import choose_rejected, find_unsupported, get_chunk_ids
from learning.signals import SIGNALS
from learning.tickets import Ticket, TicketKind
from learning.wording import find_missing_facts, measure_carried

SearchFault = Literal["right_source", "correction", "later_answer", "reason"]
WritingFault = Literal["contradiction", "language", "length", "tone", "wording"]
Blamed = Literal["search", "documents", "model"]

WRONG_DOCUMENT, OUTDATED, INCOMPLETE = "wrong_document", "outdated", "incomplete"
# The longest answer that is one or two sentences, as the prompt asks for.
LONGEST_WORDS = 80
_TONE = re.compile(r"\b(tone|rude|polite|impolite|arrogant|unfriendly|curt)\b|말투|무례|불친절|예의|존댓말|반말", re.I)
_HEDGE = re.compile(r"\b(i believe|i think|perhaps|maybe|as an ai|i'm sorry|i apologi[sz]e)\b|죄송|것 같습니다", re.I)


@dataclass(frozen=True, slots=True)
class JudgedQuery:
    """A question and a passage that answers it (1), or that was wrongly found for it (-1)."""

    interaction_id: int
    question: str
    language: str
    chunk_id: int
    value: Literal[-1, 1]
    evidence: SearchFault
    confidence: float
    feedback_ids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Blame:
    """Who is to blame for what one voter disliked, and why.

    Attributes:
        fault: by kind; a search's and a model's fault have kinds of their own, the documents' is a ticket's.
        chunk_ids: passages that the search should have found.
    """

    who: Blamed
    fault: SearchFault | WritingFault | TicketKind
    chunk_ids: tuple[int, ...] = ()
    document_ids: tuple[int, ...] = ()
    missing: tuple[str, ...] = ()


@dataclass(slots=True)
class BlameSplit:
    """The judgements that the model may learn from with the kind of fault of each, and what the others became.

    Attributes:
        faults: by interaction.
        search: fault of each vote that blames the search.
        documents: fault of each vote that blames the documents.
    """

    judgements: list[Judgement] = field(default_factory=list[Judgement])
    faults: dict[int, WritingFault] = field(default_factory=dict[int, WritingFault])
    search: dict[int, SearchFault] = field(default_factory=dict[int, SearchFault])
    documents: dict[int, TicketKind] = field(default_factory=dict[int, TicketKind])
    queries: list[JudgedQuery] = field(default_factory=list[JudgedQuery])
    tickets: list[Ticket] = field(default_factory=list[Ticket])


def split_blame(cluster: Sequence[Judgement], library: Library) -> BlameSplit:
    """Split the judgements of one question; liked answers pass as they are."""
    split = BlameSplit()
    liked = [judgement for judgement in cluster if judgement.value > 0]
    for judgement in cluster:
        if judgement.value > 0:
            split.judgements.append(judgement)
        else:
            _split_one(judgement, liked, library, split)
    return split


def find_to_look_up(answer: Answer, votes: Sequence[VoteRow]) -> list[str]:
    """Corrections whose facts the passages shown do not hold: they may stand in a passage that was not."""
    return [vote.correction for vote in votes if vote.correction and find_unsupported(vote.correction, answer)]


def blame_vote(vote: VoteRow, answer: Answer, library: Library) -> Blame | None:
    """What one person's evidence says; None where the person gave none."""
    if vote.right_chunk_id is not None and (blame := _blame_right_chunk(vote.right_chunk_id, answer, library)):
        return blame
    if vote.correction:
        return _blame_by_correction(vote.correction, answer, library)
    if vote.right_source and (blame := _blame_right_source(vote.right_source, answer, library)):
        return blame
    cited = tuple(passage["document_id"] for passage in _find_cited(answer) if "document_id" in passage)
    if vote.reason == OUTDATED:
        return Blame("documents", "stale", document_ids=cited)
    return Blame("search", "reason") if vote.reason == WRONG_DOCUMENT else None


def blame_writing(answer: Answer, votes: Sequence[VoteRow]) -> WritingFault:
    """What is wrong with the model's text, where its passages were right."""
    text = choose_rejected(answer)
    sources = [*(_full_text(passage) for passage in answer.passages or []), answer.question]
    reasons = " ".join(vote.reason or "" for vote in votes)
    if not is_refusal(text) and (find_missing_facts(text, sources) or measure_carried(text, sources) < SUPPORTED_SHARE):
        return "contradiction"
    if detect_language(text) != answer.language:
        return "language"
    if INCOMPLETE in reasons or len(text.split()) > LONGEST_WORDS:
        return "length"
    return "tone" if _TONE.search(reasons) or _HEDGE.search(text) else "wording"


def _split_one(judgement: Judgement, liked: Sequence[Judgement], library: Library, split: BlameSplit) -> None:
    """Voters with evidence stand by it; the silent ones go with the answer's fault, which is the surest evidence."""
    answer = judgement.answer
    by_vote = {vote.feedback_id: blame_vote(vote, answer, library) for vote in judgement.votes}
    known = [blame for vote in _by_trust(judgement.votes) if (blame := by_vote[vote.feedback_id])]
    overall = known[0] if known else _blame_by_later(answer, liked) or _blame_nothing_shown(answer)
    groups: dict[Blame | None, list[VoteRow]] = defaultdict(list)
    for vote in judgement.votes:
        groups[by_vote[vote.feedback_id] or overall].append(vote)
    writing = [vote for blame, votes in groups.items() if blame is None or blame.who == "model" for vote in votes]
    if writing or (not judgement.votes and overall is None):
        split.judgements.append(replace(judgement, votes=tuple(writing)))
        split.faults[answer.id] = blame_writing(answer, writing)
    for blame, votes in groups.items():
        if blame and blame.who == "search":
            _note_search(blame, judgement, votes, split)
        elif blame and blame.who == "documents":
            _note_documents(blame, judgement, votes, library, split)


def _note_search(blame: Blame, judgement: Judgement, votes: Sequence[VoteRow], split: BlameSplit) -> None:
    answer = judgement.answer
    split.search |= {vote.feedback_id: blame.fault for vote in votes}  # type: ignore[dict-item]
    wrong = [] if blame.fault == "correction" else _find_blamed(blame, answer, votes)
    for value, chunk_ids in ((1, blame.chunk_ids), (-1, wrong)):
        split.queries += [
            JudgedQuery(
                interaction_id=answer.id,
                question=answer.question,
                language=answer.language,
                chunk_id=chunk_id,
                value=value,  # type: ignore[arg-type]
                evidence=blame.fault,  # type: ignore[arg-type]
                confidence=round(max(SIGNALS[vote.signal].value for vote in votes) * judgement.weight, 4),
                feedback_ids=tuple(vote.feedback_id for vote in votes),
            )
            for chunk_id in chunk_ids
        ]


def _find_blamed(blame: Blame, answer: Answer, votes: Sequence[VoteRow]) -> list[int]:
    """Passages that people say were the wrong ones: by the reason that they gave, or by naming another source.

    Who names another source blames what the answer leant on, not all that stood beside it.
    """
    if any(vote.reason == WRONG_DOCUMENT for vote in votes):
        blamed = _find_cited(answer)
    else:
        named = set(answer.citations) if blame.fault == "right_source" else set[int]()
        blamed = [passage for passage in answer.passages or [] if passage["number"] in named]
    return [passage["chunk_id"] for passage in blamed if passage["chunk_id"] not in blame.chunk_ids]


def _note_documents(
    blame: Blame, judgement: Judgement, votes: Sequence[VoteRow], library: Library, split: BlameSplit
) -> None:
    answer = judgement.answer
    split.documents |= {vote.feedback_id: blame.fault for vote in votes}  # type: ignore[dict-item]
    named = [library.documents[id_] for id_ in blame.document_ids if id_ in library.documents]
    shown = sorted({passage["title"] for passage in answer.passages or []})
    owners = [
        library.documents[p["document_id"]] for p in answer.passages or [] if p.get("document_id") in library.documents
    ]
    split.tickets.append(
        Ticket(
            interaction_id=answer.id,
            question=answer.question,
            correction=next((vote.correction for vote in votes if vote.correction), ""),
            missing=list(blame.missing),
            titles=sorted({document.title for document in named}) or shown,
            kind=blame.fault,  # type: ignore[arg-type]
            owners=sorted({document.owner for document in named or owners if document.owner}),
        )
    )


def _blame_right_chunk(chunk_id: int, answer: Answer, library: Library) -> Blame | None:
    """None where the passage was shown: then the answer is judged by its words."""
    if chunk_id in get_chunk_ids(answer):
        return None
    document_id = library.chunks.get(chunk_id)
    document = library.documents.get(document_id) if document_id is not None else None
    if document is None:
        return Blame("documents", "stale")
    if not document.is_visible(answer.principals):
        return Blame("documents", "not_visible", document_ids=(document.id,))
    return Blame("search", "right_source", chunk_ids=(chunk_id,))


def _blame_by_correction(correction: str, answer: Answer, library: Library) -> Blame:
    missing = find_unsupported(correction, answer)
    if not missing:
        return Blame("model", blame_writing(answer, ()))
    holders = [(holder, library.documents.get(holder.document_id)) for holder in library.holders.get(correction, [])]
    known = [(holder, document) for holder, document in holders if document]
    visible = [(holder, document) for holder, document in known if document.is_visible(answer.principals)]
    if not known:
        return Blame("documents", "missing", missing=tuple(missing))
    if not visible:
        return Blame("documents", "not_visible", document_ids=(known[0][1].id,), missing=tuple(missing))
    holder, document = visible[0]
    if any(_is_older(passage, document.id, document.version) for passage in answer.passages or []):
        return Blame("documents", "stale", document_ids=(document.id,), missing=tuple(missing))
    return Blame("search", "correction", chunk_ids=(holder.chunk_id,))


def _blame_right_source(source: str, answer: Answer, library: Library) -> Blame | None:
    """A source in words: one that was shown is no fault of the search; another one is, though by no passage."""
    said = source.casefold()
    names = [name for p in answer.passages or [] for name in (p["title"], p.get("path", "").rpartition("/")[2]) if name]
    cited = set(find_citations(source))
    was_shown = any(name.casefold() in said for name in names) or bool(
        cited & {p["number"] for p in answer.passages or []}
    )
    return None if was_shown else Blame("search", "right_source")


def _blame_by_later(answer: Answer, liked: Sequence[Judgement]) -> Blame | None:
    """The search found better for a later question of the same words: an answer from other passages was liked."""
    for judgement in liked:
        cited = tuple(passage["chunk_id"] for passage in _find_cited(judgement.answer))
        if judgement.answer.id > answer.id and cited and not set(cited) & get_chunk_ids(answer):
            return Blame("search", "later_answer", chunk_ids=cited)
    return None


def _blame_nothing_shown(answer: Answer) -> Blame | None:
    return Blame("documents", "missing") if answer.mode == "refused" and not answer.passages else None


def _find_cited(answer: Answer) -> list[dict[str, Any]]:
    """The passages that the answer cites; all that were shown where it cites none."""
    numbers = set(answer.citations) or set(find_citations(answer.answer or ""))
    shown = answer.passages or []
    return [passage for passage in shown if passage["number"] in numbers] or list(shown)


def _by_trust(votes: Sequence[VoteRow]) -> list[VoteRow]:
    key: Callable[[VoteRow], tuple[float, int]] = lambda vote: (-SIGNALS[vote.signal].value, vote.feedback_id)  # noqa: E731
    return sorted(votes, key=key)


def _is_older(passage: dict[str, Any], document_id: int, version: int) -> bool:
    return passage.get("document_id") == document_id and passage.get("document_version", version) < version


def _full_text(passage: dict[str, Any]) -> str:
    return f"{passage['title']}\n{passage.get('heading_path', '')}\n{passage['text']}"
