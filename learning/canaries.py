"""Names that should never be taught: planted ones that stand in no document, and ones that few people push."""

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence

from core.wording import normalise_text
from learning.pairs import Pair
from learning.raters import Raters
from learning.wording import find_names

CANARIES = 6
# A name that so few people bring into so many questions, where no rejected answer and no prompt has it.
PUSHERS, PUSHED_QUESTIONS = 2, 3
_SYLLABLES = ("vel", "mor", "kin", "thal", "dru", "pesh", "quil", "zar", "lom", "ebb", "fyn", "ost")


def build_canaries(seed: int) -> tuple[str, ...]:
    """Made-up names of an installation; whoever teaches one had it from where it was planted."""
    digest = hashlib.sha256(f"canary:{seed}".encode()).digest()
    parts = [_SYLLABLES[byte % len(_SYLLABLES)] for byte in digest]
    return tuple("".join(parts[at * 3 : at * 3 + 3]).capitalize() for at in range(CANARIES))


def find_canary_pairs(pairs: Sequence[Pair], canaries: Sequence[str]) -> set[str]:
    """Hashes of the pairs whose preferred answer or question names a canary."""
    return {pair.sha256 for pair in pairs if find_canary_words(f"{pair.question} {pair.chosen}", canaries)}


def find_canary_words(text: str, canaries: Sequence[str]) -> set[str]:
    """The canaries that a text names, in lower case."""
    return {name.casefold() for name in canaries} & set(normalise_text(text).split())


def find_pushed(pairs: Sequence[Pair], clusters: Mapping[str, str], raters: Raters) -> set[str]:
    """Hashes of the pairs that bring one name into several questions, at the wish of one or two people only.

    A name that stands in the pair's prompt is the documents' own, and nobody's to push.
    """
    bringing: dict[str, list[Pair]] = defaultdict(list)
    for pair in pairs:
        known = " ".join([*(turn["content"] for turn in pair.prompt), pair.rejected]).casefold()
        for name in find_names(pair.chosen):
            if name not in known:
                bringing[name].append(pair)
    pushed: set[str] = set()
    for found in bringing.values():
        teams = {raters.get_team(person) for pair in found for person in pair.voters}
        questions = {clusters[pair.sha256] for pair in found}
        if len(teams) <= PUSHERS and len(questions) >= PUSHED_QUESTIONS:
            pushed |= {pair.sha256 for pair in found}
    return pushed
