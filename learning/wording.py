"""How texts are compared: questions as clusters, answers by their words, facts by their numbers and names."""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from core.prompt import REFUSALS

_CITATION = re.compile(r"\s*\[(\d+)\]")
_WORD = re.compile(r"\w+")
_NUMBER = re.compile(r"\d+(?:[.,:]\d+)*")
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")
_HANGUL = re.compile(r"[\uac00-\ud7a3]")
# A capital inside a sentence, or a word that mixes letters with digits: a name, a product, a code.
_NAME = re.compile(r"(?<![.!?:\n]\s)(?<!^)(?<!\w)([A-Z][A-Za-z]+(?:-[A-Za-z0-9]+)*|[A-Za-z]+-?\d+\w*)")
_NUMBER_WORDS = {
    word: str(value)
    for value, word in enumerate(
        "zero one two three four five six seven eight nine ten eleven twelve".split(),
    )
}
_STOP_WORDS = frozenset(
    "a an and any are as at be but by can do does for from had has have how i if in is it its may must no not of on "
    "or our shall should so than that the their them then there these they this to up was we were what when where "
    "which who will with would yes you your".split()
)
SUPPORTED_SHARE = 0.5
SHINGLE_LETTERS = 4


def normalise_text(text: str) -> str:
    """Lower-case words with single spaces, without punctuation or citations; equal texts say the same."""
    return " ".join(_WORD.findall(unicodedata.normalize("NFKC", strip_citations(text)).casefold()))


def find_citations(text: str) -> list[int]:
    """Passage numbers cited as `[number]`, each once, in order."""
    return list(dict.fromkeys(int(number) for number in _CITATION.findall(text)))


def strip_citations(text: str) -> str:
    """The text without its `[number]` marks."""
    return _CITATION.sub("", text)


def find_numbers(text: str) -> set[str]:
    """Numbers as digits, without thousands separators; small English number words count as digits."""
    digits = set(_NUMBER.findall(_THOUSANDS.sub("", strip_citations(text))))
    return digits | {_NUMBER_WORDS[word] for word in _WORD.findall(text.casefold()) if word in _NUMBER_WORDS}


def find_names(text: str) -> set[str]:
    """Words inside sentences that are written like names, product names or codes, in lower case."""
    return {name.casefold() for name in _NAME.findall(strip_citations(text))}


def find_content_words(text: str) -> list[str]:
    """Stems of the words that carry meaning: two syllables of Korean, five letters of others, no numbers."""
    words = _WORD.findall(normalise_text(text))
    kept = [word for word in words if word not in _STOP_WORDS and word not in _NUMBER_WORDS and not word[0].isdigit()]
    return [word[:2] if _HANGUL.match(word) else word[:5] for word in kept]


def find_missing_facts(text: str, sources: Iterable[str]) -> list[str]:
    """Numbers and names of a text that stand in none of the sources, sorted."""
    known = "\n".join(sources)
    missing = find_numbers(text) - find_numbers(known)
    words = set(_WORD.findall(known.casefold()))
    names = {name for name in find_names(text) if not set(_WORD.findall(name)) <= words}
    return sorted(missing | names)


def measure_support(text: str, sources: Iterable[str]) -> float:
    """Share in [0, 1] of a text's content words and numbers that stand in the sources; 1.0 where it has none."""
    known = "\n".join(sources)
    parts = [*find_content_words(text), *sorted(find_numbers(text))]
    available = {*find_content_words(known), *find_numbers(known)}
    return sum(part in available for part in parts) / len(parts) if parts else 1.0


def is_refusal(text: str) -> bool:
    """Whether a text says that the documents do not hold the answer."""
    return any(normalise_text(refusal) in normalise_text(text) for refusal in REFUSALS.values())


def find_supporting(text: str, passages: Sequence[Mapping[str, Any]]) -> list[int]:
    """Numbers of the fewest passages that hold a text's numbers, the best match first; empty where none fits."""
    scores = {passage["number"]: measure_support(text, [passage["text"]]) for passage in passages}
    wanted, found = find_numbers(text), list[int]()
    texts = {passage["number"]: find_numbers(passage["text"]) for passage in passages}
    for number in sorted(scores, key=lambda number: (-scores[number], number)):
        is_first = not found and scores[number] > 0
        if is_first or (found and wanted & texts[number]):
            found.append(number)
            wanted -= texts[number]
        if not wanted:
            break
    return found


def build_shingles(text: str) -> frozenset[str]:
    """Overlapping letter groups of a normalised text, for near-duplicate search."""
    normal = normalise_text(text)
    return frozenset(normal[at : at + SHINGLE_LETTERS] for at in range(max(1, len(normal) - SHINGLE_LETTERS + 1)))


def measure_overlap(one: frozenset[str], other: frozenset[str]) -> float:
    """Jaccard similarity of two sets in [0, 1]."""
    union = len(one | other)
    return len(one & other) / union if union else 1.0
