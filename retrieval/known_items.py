"""Questions whose answer is known because they were made from it. Pure, and the same for the same chunks.

A question made of a text shares its words, so words find it more easily than they find the answer to a person's
question: measured on such questions, BM25 looks better than it is. Against that, the rarest words of a sentence, which
give it away, are left out. Much of the bias is left: `fusion_calibration.py` says how much, and what is decided all the
same.
"""

import random
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

_SENTENCE = re.compile(r"(?<=[.!?。])\s+|\n+")
_WORD = re.compile(r"[^\W_]+(?:[-'’][^\W_]+)*")
_LEAST_WORDS, _MOST_WORDS = 6, 40
_KEPT_WORDS = 4
# Of a sentence's words, the rarest so many are left out, and so many of the others by lot.
_RAREST, _BY_LOT = 0.3, 0.15
_HEADINGS = 0.25


@dataclass(frozen=True, slots=True)
class Source:
    """A chunk of which a question is made."""

    chunk_id: int
    heading: str
    text: str


@dataclass(frozen=True, slots=True)
class KnownItem:
    """A question, and the chunk that it was made of."""

    text: str
    chunk_id: int


def build_known_items(sources: Sequence[Source], seed: int = 0) -> list[KnownItem]:
    """At most one question a chunk: a heading, or a sentence without its rarest words; none of what is too short."""
    counts = Counter(word for source in sources for word in {word.lower() for word in _WORD.findall(source.text)})
    titles = Counter(source.heading for source in sources)
    chance = random.Random(seed)
    items: list[KnownItem] = []
    for source in sources:
        # A heading that several chunks stand under is a question with several answers.
        is_heading = titles[source.heading] == 1 and len(_WORD.findall(source.heading)) > 2
        text = source.heading if is_heading and chance.random() < _HEADINGS else _blur(source.text, counts, chance)
        if text:
            items.append(KnownItem(text, source.chunk_id))
    return items


def _blur(text: str, counts: Counter[str], chance: random.Random) -> str:
    sentences = [_WORD.findall(sentence) for sentence in _SENTENCE.split(text)]
    fitting = [words for words in sentences if _LEAST_WORDS <= len(words) <= _MOST_WORDS]
    if not fitting:
        return ""
    words = chance.choice(fitting)
    rarest = set(sorted({word.lower() for word in words}, key=lambda word: (counts[word], word))[: _share(words)])
    kept = [word for word in words if word.lower() not in rarest and chance.random() >= _BY_LOT]
    return " ".join(kept) if len(kept) >= _KEPT_WORDS else ""


def _share(words: Sequence[str]) -> int:
    return round(_RAREST * len(words))
