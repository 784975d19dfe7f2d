"""Terms of a text for BM25: English stems, codes and numbers whole, Korean morphemes and character bigrams."""

import re
import threading
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol, cast

import snowballstemmer  # pyright: ignore[reportMissingTypeStubs]

MAX_TERM_CHARACTERS = 64

_LATIN = re.compile(r"[A-Za-z0-9À-ɏ]+(?:[-_./:,'’&+#@][A-Za-z0-9À-ɏ]+)*")
_PART = re.compile(r"[A-Za-zÀ-ɏ]+|\d+")
_NUMBER = re.compile(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?")
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")
_HANGUL = re.compile(r"[가-힣]+")
# `15일`, `제3조`: a number with the Korean unit or counter that says what it counts.
_COUNTED = re.compile(r"제?\d+[가-힣]")
_POSSESSIVE = re.compile(r"['’]s?$|['’](?=t$)")

# Content morphemes of Kiwi's tag set: nouns, numerals, verbs, adjectives, roots, adverbs.
_CONTENT = ("NNG", "NNP", "NR", "VV", "VA", "XR", "MAG")

# Kiwi's logarithm of how likely a word is; what lies below (`연치`) is more often a slip for another (`연차`).
_RARE_WORD = -14.5

STOP_WORDS = frozenset(
    re.findall(
        r"\w+",
        "a about above after again against all am an and any are as at be because been before being below between "
        "both but by can could did do does doing down during each few for from further had has have having he her "
        "here hers herself him himself his how i if in into is it its itself just me more most my myself no nor "
        "not of off on once only or other our ours ourselves out over own same she should so some such than that "
        "the their theirs them themselves then there these they this those through to too under until up very was "
        "we were what when where which while who whom why will with would you your yours yourself yourselves",
    )
)


@dataclass(frozen=True, slots=True)
class Word:
    """A word of a text as it is compared with others, from character `start` to `end`."""

    term: str
    start: int
    end: int


class _Morpheme(Protocol):
    form: str
    tag: str
    start: int
    len: int
    oov: bool
    score: float


class _Analyser(Protocol):
    def tokenize(self, text: str) -> list[_Morpheme]: ...

    def add_user_word(self, word: str, tag: str, score: float) -> bool: ...

    def space(self, text: str, reset_whitespace: bool) -> str: ...


class _Stemmer(Protocol):
    def stemWord(self, word: str) -> str: ...  # noqa: N802  the library's name


class _Local(threading.local):
    stemmer: _Stemmer | None = None


class _Whole:
    """Words that the analyser of this process keeps whole: one analyser is 1.4 GB of addresses."""

    words: tuple[str, ...] = ()


_local = _Local()
_kiwi_lock = threading.Lock()


def keep_whole(words: Sequence[str]) -> None:
    """Let the Korean analyser of this process take these words, and no others before, for words of their own.

    Documents that were read without them must be read again: `find_whole` is part of their recipe.
    """
    with _kiwi_lock:
        _Whole.words = tuple(sorted(set(words)))


def find_whole() -> tuple[str, ...]:
    """The words that are kept whole, sorted."""
    return _Whole.words


@lru_cache(maxsize=1)
def _load_kiwi(words: tuple[str, ...]) -> _Analyser:
    # 3 s to load, and only where there is Korean text.
    from kiwipiepy import Kiwi  # noqa: PLC0415  # pyright: ignore[reportMissingTypeStubs]

    kiwi = cast(_Analyser, Kiwi(num_workers=1))
    for word in words:
        kiwi.add_user_word(word, "NNP", 0.0)
    return kiwi


def _get_kiwi() -> _Analyser:
    return _load_kiwi(_Whole.words)


def warm_up() -> None:
    """Load the Korean analyser now (about 3 s, once a process) and not at the first Korean question."""
    _find_morphemes("휴가")


def space_words(text: str) -> str:
    """Korean text with the spaces where they belong; those that were there count for nothing."""
    with _kiwi_lock:
        return _get_kiwi().space(text, reset_whitespace=True)


def is_korean_word(text: str) -> bool:
    """Whether a run of Hangul is a common word by itself: one content morpheme of the dictionary, and its endings."""
    with _kiwi_lock:
        morphemes = _get_kiwi().tokenize(text)
    content = [one for one in morphemes if _is_content(one)]
    return len(content) == 1 and content[0].start == 0 and not content[0].oov and content[0].score > _RARE_WORD


def find_terms(text: str) -> list[str]:
    """Terms in no particular order, repeated as often as they occur; safe to call from several threads."""
    terms = [term for match in _LATIN.finditer(text) for term in _read_word(match[0])]
    if _HANGUL.search(text):
        terms += (match[0] for match in _COUNTED.finditer(text))
        terms += (term for match in _HANGUL.finditer(text) for term in _cut_bigrams(match[0]))
        terms += _find_morphemes(text)
    return [term[:MAX_TERM_CHARACTERS] for term in terms]


def find_content_terms(text: str) -> list[str]:
    """Those terms that carry meaning alone: no character bigrams, which in a question are mostly its ending."""
    terms = [term for match in _LATIN.finditer(text) for term in _read_word(match[0])]
    if _HANGUL.search(text):
        terms += (match[0] for match in _COUNTED.finditer(text))
        terms += _find_morphemes(text)
    return [term[:MAX_TERM_CHARACTERS] for term in terms]


def find_words(text: str) -> list[Word]:
    """Words in order of place: English ones by their stems, stop words too, and Korean content morphemes.

    A stop word all in capitals (`IT`, `US`) stays so, and is another word than in small letters.
    """
    words = [word for match in _LATIN.finditer(text) for word in _cut_latin(match[0], match.start())]
    if _HANGUL.search(text):
        words += (Word(one.form.lower(), one.start, one.start + one.len) for one in _analyse(text))
    return sorted(words, key=lambda word: (word.start, word.end))


def _cut_latin(run: str, start: int) -> Iterator[Word]:
    for match in _PART.finditer(_POSSESSIVE.sub("", run)):
        part = match[0].lower()
        is_name = part in STOP_WORDS and match[0].isupper() and len(part) > 1
        yield Word(match[0] if is_name else _stem(part), start + match.start(), start + match.end())


def _read_word(word: str) -> Iterable[str]:
    # What is no word is not remembered: it can be as long as a file.
    return _remember_latin(word) if len(word) <= MAX_TERM_CHARACTERS else _read_latin(word)


@lru_cache(maxsize=50_000)
def _remember_latin(word: str) -> tuple[str, ...]:
    return tuple(_read_latin(word))


def _read_latin(word: str) -> Iterator[str]:
    """`HR-2024-07` whole and in parts, `40,000` as `40000`, `employees'` as its stem."""
    lowered = _POSSESSIVE.sub("", word.lower())
    if _NUMBER.fullmatch(lowered):
        yield lowered.replace(",", "")
        return
    plain = _THOUSANDS.sub("", lowered)
    parts = _PART.findall(plain)
    if len(parts) > 1:
        yield plain
    for part in parts:
        if part not in STOP_WORDS and (len(part) > 1 or part.isdigit() or len(parts) == 1):
            yield _stem(part)


@lru_cache(maxsize=100_000)
def _stem(word: str) -> str:
    if _local.stemmer is None:
        # A stemmer holds the word it works on, so each thread has its own.
        _local.stemmer = cast(_Stemmer, snowballstemmer.stemmer("english"))  # pyright: ignore[reportUnknownMemberType]
    return _local.stemmer.stemWord(word)


def _cut_bigrams(run: str) -> Iterator[str]:
    if len(run) == 1:
        yield run
    for start in range(len(run) - 1):
        yield run[start : start + 2]


def _find_morphemes(text: str) -> list[str]:
    return [one.form.lower() for one in _analyse(text)]


def _analyse(text: str) -> list[_Morpheme]:
    """Content morphemes with Hangul."""
    with _kiwi_lock:
        morphemes = _get_kiwi().tokenize(text)
    return [one for one in morphemes if _is_content(one) and _HANGUL.search(one.form)]


def _is_content(morpheme: _Morpheme) -> bool:
    # Kiwi marks irregular verbs by a suffix of the tag (`VV-I`).
    return morpheme.tag.split("-")[0] in _CONTENT
