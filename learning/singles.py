"""Which single votes train, in KTO's form: those that pairs would have been kept for, and a bounded number of them.

They are the weaker signal, so they are used only where they outnumber the pairs three to one, and each rule that keeps
a pair out keeps a single out as well: who may read it, bursts, newcomers, canaries, stale documents, held-out questions
and people, facts that the passages lack, and how much one person may weigh. What does not train is kept for evaluation.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from core.database import Database
from core.fitting import estimate_tokens, fits
from core.wording import find_citations, hash_question, normalise_text
from learning.canaries import find_canary_words
from learning.caps import Caps, choose_person_share
from learning.gather import ANSWERS_AT_ONCE, Single
from learning.labels import Answer, find_answers
from learning.leftovers import KTO_FROM, Use, choose_use
from learning.near_duplicates import group_questions
from learning.pair_sources import PairSource, find_shown
from learning.raters import Raters
from learning.refusals import find_unsupported, follows_instruction
from learning.split import Split, choose_held_people, find_pinned, is_held_out, pin_sides

# Of those that may train so many are looked at: some fall out once their words are read.
LOOKED_AT = 2


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a night knows beside the singles themselves.

    Attributes:
        questions: as understood, by interaction.
        persons: who gave a vote, by its id.
        raters: of the window; canaries are names that nobody may teach.
    """

    questions: Mapping[int, str]
    persons: Mapping[int, str]
    raters: Raters
    canaries: Sequence[str]
    split: Split
    seed: int
    audience: str
    context_tokens: int


async def choose_singles(database: Database, singles: Sequence[Single], known: Surroundings) -> tuple[Use, set[int]]:
    """What single votes are used for, and the interactions of those that may train; none where pairs are enough.

    At most three for each pair that trains; where none does, no night trains, and all of them are offered.
    """
    pairs = len(known.split.train) + len(known.split.held_out)
    use = choose_use(singles=sum(one.is_open for one in singles), pairs=pairs)
    if use != "kto":
        return use, set()
    most = KTO_FROM * len(known.split.train) or len(singles)
    pinned = await find_pinned(database, known.audience, known.seed, known.questions.values())
    fitting = _drop_held_out(_find_fitting(singles, known, pinned), known)
    capped = cap_singles(fitting, known, most=LOOKED_AT * most)
    chosen: list[int] = []
    for at in range(0, len(capped), ANSWERS_AT_ONCE):
        chosen += await _find_sound(database, capped[at : at + ANSWERS_AT_ONCE], known)
        if len(chosen) >= most:
            break
    return use, set(chosen[:most])


async def pin_singles(database: Database, run_id: int, trained: Iterable[int], known: Surroundings) -> None:
    """Keep their questions on the training side for good: no later pair of them is held out."""
    hashed = (hash_question(normalise_text(known.questions[id_])) for id_ in trained)
    await pin_sides(database, run_id, known.audience, known.seed, dict.fromkeys(hashed, "trained"))


def cap_singles(singles: Iterable[Single], known: Surroundings, *, most: int) -> list[Single]:
    """The surest, so many of one person at most as of pairs."""
    ordered = sorted(singles, key=lambda one: (-one.weight, -one.interaction_id))
    teams = {one.interaction_id: _list_teams(one, known) for one in ordered}
    people = len({team for found in teams.values() for team in found})
    limit = max(Caps().person_minimum, int(choose_person_share(people, Caps()) * min(most, len(ordered))))
    counts, kept = Counter[str](), list[Single]()
    for one in ordered:
        if len(kept) < most and all(counts[team] < limit for team in teams[one.interaction_id]):
            counts.update(teams[one.interaction_id])
            kept.append(one)
    return kept


def has_room(answer: Answer, *, context_tokens: int) -> bool:
    """Whether prompt and answer fit into what the model server takes; a single is not shortened."""
    text = answer.generated or answer.answer or ""
    return fits(answer.messages or [], context_tokens=context_tokens, answer_tokens=estimate_tokens(text))


def is_sound(answer: Answer, value: int, sources: Sequence[PairSource], canaries: Sequence[str]) -> bool:
    """Whether nothing in an answer's words or documents speaks against learning from what people think of it.

    To dislike what the passages do not hold is right; to like it would teach it.
    """
    text = answer.answer or ""
    cited = set(find_citations(text))
    leaning = [source for source in sources if source.number in cited] or list(sources)
    if any(source.state in ("changed", "gone") for source in leaning):
        return False
    if find_canary_words(f"{answer.question} {text}", canaries):
        return False
    return value < 0 or not (find_unsupported(text, answer) or follows_instruction(text, answer))


def _find_fitting(singles: Iterable[Single], known: Surroundings, pinned: Mapping[str, str]) -> list[Single]:
    held_people = choose_held_people(_list_people(known.split), known.seed)
    return [one for one in singles if _fits(one, known, pinned, held_people)]


def _fits(one: Single, known: Surroundings, pinned: Mapping[str, str], held_people: set[str]) -> bool:
    """What can be said without the words of the answer; without a vote nobody stands behind it."""
    people = {known.persons[id_] for id_ in one.feedback_ids}
    if not one.is_open or not people or one.interaction_id not in known.questions:
        return False
    if known.raters.burst.intersection(one.feedback_ids) or people <= known.raters.new or people & held_people:
        return False
    question = normalise_text(known.questions[one.interaction_id])
    side = pinned.get(hash_question(question))
    return side == "trained" if side else not is_held_out(question, seed=known.seed)


def _drop_held_out(singles: Sequence[Single], known: Surroundings) -> list[Single]:
    """Leave out those whose question is near to one that is held out."""
    held = [pair.question for pair in known.split.held_out]
    firsts = group_questions([*held, *(known.questions[one.interaction_id] for one in singles)])
    taken = set(firsts[: len(held)])
    return [one for at, one in enumerate(singles) if firsts[len(held) + at] not in taken]


async def _find_sound(database: Database, singles: Sequence[Single], known: Surroundings) -> list[int]:
    ids = [one.interaction_id for one in singles]
    answers, shown = await find_answers(database, ids), await find_shown(database, ids)
    return [
        one.interaction_id
        for one in singles
        if has_room(answers[one.interaction_id], context_tokens=known.context_tokens)
        and is_sound(answers[one.interaction_id], one.value, shown.get(one.interaction_id, ()), known.canaries)
    ]


def _list_people(split: Split) -> set[str]:
    return {person for pair in [*split.train, *split.held_out] for person in pair.voters}


def _list_teams(one: Single, known: Surroundings) -> set[str]:
    return {known.raters.get_team(known.persons[id_]) for id_ in one.feedback_ids}


def count_singles(singles: Sequence[Single], use: Use, trained: set[int]) -> dict[str, Any]:
    """For the night's numbers."""
    return {"count": sum(one.is_open for one in singles), "use": use, "trained": len(trained)}
