"""How texts are compared: by numbers and by the words that carry meaning, in Korean and English, without a dictionary.

The bot judges with it whether passages carry an answer, and the night judges corrections and adapters by the same.
"""

import hashlib
import re
import unicodedata
from collections.abc import Iterable

from core.prompt import REFUSALS

CITATION = re.compile(r"\s*\[(\d+)\]")
STEM_LETTERS = 5
# A text is carried by a source that holds this share of its terms and all of its numbers.
SUPPORTED_SHARE = 0.5

_WORD = re.compile(r"\w+")
_NUMBER = re.compile(r"\d+(?:[.,:]\d+)*")
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")
_HANGUL = re.compile(r"[\uac00-\ud7a3]")
_NUMBER_WORDS = {
    word: str(value)
    for value, word in enumerate(
        "zero one two three four five six seven eight nine ten eleven twelve".split(),
    )
}
_STOP_WORDS = frozenset(
    "a an and any are as at be been but by can could did do does for from had has have how i if in is it its may me my "
    "must no not of on or our per shall should so than that the their them then there these they this to under up was "
    "we were what when where which who whom whose why will with would yes you your".split()
)


def normalise_text(text: str) -> str:
    """Lower-case words with single spaces, without punctuation or citations; equal texts say the same."""
    return " ".join(_WORD.findall(unicodedata.normalize("NFKC", strip_citations(text)).casefold()))


def hash_question(question: str) -> str:
    """How a normalised question is kept: without its words."""
    return hashlib.sha256(question.encode()).hexdigest()


def find_citations(text: str) -> list[int]:
    """Passage numbers cited as `[number]`, each once, in order."""
    return list(dict.fromkeys(int(number) for number in CITATION.findall(text)))


def strip_citations(text: str) -> str:
    """The text without its `[number]` marks."""
    return CITATION.sub("", text).strip()


def find_numbers(text: str) -> set[str]:
    """Numbers as digits, without thousands separators; small English number words count as digits."""
    digits = set(_NUMBER.findall(_THOUSANDS.sub("", strip_citations(text))))
    return digits | {_NUMBER_WORDS[word] for word in _WORD.findall(text.casefold()) if word in _NUMBER_WORDS}


def find_terms(text: str, *, endings: bool = True) -> set[str]:
    """What two texts are compared by: numbers, English words cut to five letters, Korean as syllable pairs.

    Cutting and pairing stand in for stemming: `employees` meets `employee`, `휴가를` meets `연차휴가`.

    Args:
        endings: keep the last syllable of longer Korean words, which is often a particle of this sentence only.
    """
    words = [word for word in _WORD.findall(normalise_text(text)) if word not in _STOP_WORDS]
    content = [word for word in words if word not in _NUMBER_WORDS and not word[0].isdigit()]
    return {term for word in content for term in _cut(word, endings=endings)} | find_numbers(text)


def measure_support(text: str, sources: Iterable[str]) -> float:
    """Share in [0, 1] of a text's terms that stand in the sources; 1.0 where it has none."""
    terms = find_terms(text, endings=False)
    return len(terms & find_terms("\n".join(sources))) / len(terms) if terms else 1.0


def is_refusal(text: str) -> bool:
    """Whether a text says that the documents do not hold the answer."""
    return any(normalise_text(refusal) in normalise_text(text) for refusal in REFUSALS.values())


def _cut(word: str, *, endings: bool) -> Iterable[str]:
    if not _HANGUL.match(word):
        return (word[:STEM_LETTERS],)
    stem = word if endings or len(word) < 3 else word[:-1]
    return (stem[at : at + 2] for at in range(max(1, len(stem) - 1)))
