"""Words of a text reduced to what two texts can be compared by, in Korean and English, without a dictionary."""

import re
from collections.abc import Iterable

_WORD = re.compile(r"[0-9]+(?:[.,:/-][0-9]+)*|[A-Za-z][A-Za-z'’-]*|[가-힣]+")
_NUMBER = re.compile(r"\d+(?:[.,:]\d+)*")
_CITATION = re.compile(r"\[\d+\]")
_STOP_WORDS = frozenset(
    (
        "a an and are as at be by can could do does for from had has have how i if in is it its may me must my no not "
        "of on or our per shall should so than that the their them then there these they this to under was we were "
        "what when where which who whom whose why will with would you your"
    ).split(" ")
)
STEM_CHARACTERS = 5


def find_numbers(text: str) -> set[str]:
    """Numbers as written, thousands separators removed; citation marks are not numbers."""
    return {match.replace(",", "") for match in _NUMBER.findall(_CITATION.sub(" ", text))}


def find_terms(text: str) -> set[str]:
    """Comparable terms: English words cut to five letters, numbers whole, Korean as syllable pairs.

    Cutting and pairing stand in for stemming: `employees` meets `employee`, `휴가를` meets `휴가`.
    """
    return {term for word in _WORD.findall(_CITATION.sub(" ", text)) for term in _terms_of(word)}


def _terms_of(word: str) -> Iterable[str]:
    if word[0].isdigit():
        return (word.replace(",", ""),)
    if word[0].isascii():
        lower = word.lower()
        return () if lower in _STOP_WORDS else (lower[:STEM_CHARACTERS],)
    return (word[index : index + 2] for index in range(max(1, len(word) - 1)))


def coverage(text: str, source: str) -> float:
    """Share of the text's terms that the source holds, in [0, 1]; a text without terms is covered."""
    terms = find_terms(text)
    return len(terms & find_terms(source)) / len(terms) if terms else 1.0
