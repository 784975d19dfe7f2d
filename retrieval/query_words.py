"""Words of a question that no document holds, and what they were probably meant to be."""

import asyncio
import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from retrieval.active_model import ActiveModel
from retrieval.lexical import STOP_WORDS, find_content_terms, find_terms, is_korean_word, space_words
from retrieval.query_keyboard import type_as_english, type_as_korean
from retrieval.query_spelling import (
    LONGEST,
    SHORTEST_FOR_TWO,
    SHORTEST_LATIN,
    measure_distance,
    vary_korean,
    vary_latin,
)
from retrieval.synonyms import NO_SYNONYMS, Synonyms
from retrieval.vocabulary import Vocabulary

# Each costs two or three look-ups, so a page of nonsense must not cost hundreds.
MOST_MENDED = 4
MOST_WORDS = 60
_LONG_RUN = 9

_WORD = re.compile(r"[A-Za-z]+|[가-힣ㄱ-ㅎㅏ-ㅣ]+")
# A letter beside digits, `_` or `-` is part of a code, which nobody may guess at.
_CODE = re.compile(r"\S*(?:\d|[_@/\\]|\w-\w)\S*")
_HANGUL = re.compile(r"[가-힣]+")
_PARTICLE = re.compile(
    r"(?<=[가-힣]{2})(?:은요|는요|이란|인가요|에서|에게|까지|부터|으로|은|는|이|가|을|를|의|에|로|와|과|도|만)$"
)
_LONG = re.compile(rf"[가-힣]{{{_LONG_RUN},}}")
_SINGLES = re.compile(r"(?:(?<![가-힣])[가-힣]\s+){2,}[가-힣]")


@dataclass(frozen=True, slots=True)
class Change:
    """A word as it was typed and as it is searched."""

    typed: str
    searched: str


class Words:
    """Mends words by the vocabulary of what the asker may read; a word that stands there is never touched."""

    def __init__(self, vocabulary: Vocabulary, active: ActiveModel, synonyms: Synonyms = NO_SYNONYMS) -> None:
        self._vocabulary = vocabulary
        self._active = active
        self._synonyms = synonyms

    async def mend(
        self, question: str, principals: Sequence[str], *, keep: Collection[str] = ()
    ) -> tuple[str, list[Change]]:
        """The question with its unknown words replaced, and what was replaced.

        Korean that was run together or pulled apart is spaced first. Keyboard slips go before spellings: they are
        rarer than typos but hardly ever make a word by chance.

        Args:
            keep: words that are not there to be searched.
        """
        spaced = await asyncio.to_thread(_space, question)
        kept = {part for word in keep for part in _WORD.findall(word)}
        unknown = [word for word in await self._find_unknown(spaced, principals) if word not in kept]
        slips = await self._find_slips(unknown, principals)
        rest = [word for word in unknown if word not in slips][:MOST_MENDED]
        near = {word: found for word in rest if (found := await self._find_near(word, principals))}
        changed = {**near, **slips}
        mended = _WORD.sub(lambda match: changed.get(match[0], match[0]), spaced)
        return mended, [Change(typed, searched) for typed, searched in changed.items()]

    async def _find_unknown(self, question: str, principals: Sequence[str]) -> list[str]:
        """Words of which no term stands in a visible document, nor in the company's dictionary."""
        plain = _CODE.sub(" ", question)
        words = list(dict.fromkeys(word for word in _WORD.findall(plain) if 1 < len(word) <= LONGEST))[:MOST_WORDS]
        words = [word for word in words if word.lower() not in STOP_WORDS]
        terms = await asyncio.to_thread(lambda: {word: _list_terms(word) for word in words})
        counts = await self._vocabulary.count([term for found in terms.values() for term in found], principals)
        if not counts.chunks:
            return []
        return [
            word
            for word, found in terms.items()
            if not any(term in counts.by_term for term in found) and not self._synonyms.knows(found)
        ]

    async def _find_slips(self, words: Sequence[str], principals: Sequence[str]) -> dict[str, str]:
        """Words of the other keyboard, where at least one of them is a word of the documents."""
        typed = {word: other for word in words if (other := type_as_korean(word) or type_as_english(word))}
        common = await self._find_common([word for word in typed if word.isascii()])
        typed = {word: other for word, other in typed.items() if word not in common}
        terms = await asyncio.to_thread(lambda: {word: _list_terms(other) for word, other in typed.items()})
        counts = await self._vocabulary.count([term for found in terms.values() for term in found], principals)
        known = {
            word
            for word, found in terms.items()
            if any(term in counts.by_term for term in found) or self._synonyms.knows(found)
        }
        # Letters that stand alone are no Korean word; they are taken along once one word shows which keyboard it was.
        return {word: other for word, other in typed.items() if word in known or (known and _is_plain(other, word))}

    async def _find_near(self, word: str, principals: Sequence[str]) -> str | None:
        if _HANGUL.fullmatch(word):
            return await self._find_near_korean(word, principals)
        if not word.isascii() or len(word) < SHORTEST_LATIN or await self._find_common([word]):
            return None
        return await self._find_near_latin(word.lower(), principals)

    async def _find_near_latin(self, word: str, principals: Sequence[str]) -> str | None:
        variants = await asyncio.to_thread(lambda: {other: find_terms(other) for other in vary_latin(word)})
        stems = {terms[0] for terms in variants.values() if terms and len(terms[0]) > 2}
        found = (await self._vocabulary.count(stems, principals)).by_term
        stem = find_terms(word)[0]
        most = 1 + (len(word) >= SHORTEST_FOR_TWO)
        if not found and most == 2:
            near = await self._vocabulary.find_near(stem, principals, prefix=2, slack=most)
            found = {term: chunks for term, chunks in near.items() if measure_distance(stem, term, most=most) <= most}
        for term in sorted(found, key=lambda term: (measure_distance(stem, term, most=4), -found[term], term))[:3]:
            if surface := await self._find_surface(word, term, most, principals):
                return surface
        return None

    async def _find_surface(self, word: str, term: str, most: int, principals: Sequence[str]) -> str | None:
        """How the documents write a term, closest to what was typed."""
        texts = await self._vocabulary.find_texts(term, principals)
        written = {found.lower() for text in texts for found in re.findall(r"[A-Za-z]+", text)}
        near = [(measure_distance(word, found, most=most), found) for found in written if term in find_terms(found)]
        return min((pair for pair in near if pair[0] <= most), default=(0, None))[1]

    async def _find_near_korean(self, word: str, principals: Sequence[str]) -> str | None:
        """A spelling whose every pair of syllables stands in the documents, the most common one."""
        core = _PARTICLE.sub("", word)
        if not 2 <= len(core) <= 8 or await asyncio.to_thread(is_korean_word, core):
            return None
        variants = {other: _cut_pairs(other) for other in vary_korean(core)}
        counts = await self._vocabulary.count({pair for pairs in variants.values() for pair in pairs}, principals)
        found = {
            other: min(counts.by_term[pair] for pair in pairs)
            for other, pairs in variants.items()
            if all(pair in counts.by_term for pair in pairs)
        }
        whole = await self._keep_words(found, principals)
        best = max(whole, key=lambda other: (found[other], other), default=None)
        return best + word[len(core) :] if best else None

    async def _keep_words(self, found: Iterable[str], principals: Sequence[str]) -> list[str]:
        """Spellings that a reader of Korean takes for words, not for the end of one and the beginning of the next."""
        read = await asyncio.to_thread(
            lambda: {other: [term for term in find_content_terms(other) if len(term) > 1] for other in found}
        )
        counts = await self._vocabulary.count({term for terms in read.values() for term in terms}, principals)
        return [
            other
            for other, terms in read.items()
            if sum(map(len, terms)) == len(other) and all(term in counts.by_term for term in terms)
        ]

    async def _find_common(self, words: Sequence[str]) -> set[str]:
        """Words that the embedding model knows whole: real ones, whether a document holds them or not."""
        if not words:
            return set()
        embedder = await self._active.find_embedder()
        counted = await asyncio.to_thread(embedder.count_tokens, [word.lower() for word in words])
        return {word for word, tokens in zip(words, counted, strict=True) if tokens == 1}


def _list_terms(word: str) -> list[str]:
    """Terms by which a word is known; the pairs that a particle makes at its end do not count."""
    return find_terms(_PARTICLE.sub("", word))


def _cut_pairs(word: str) -> list[str]:
    return [word[at : at + 2] for at in range(len(word) - 1)]


def _is_plain(other: str, word: str) -> bool:
    return (other.isascii() and not _HANGUL.fullmatch(word)) or bool(_HANGUL.fullmatch(other))


def _space(question: str) -> str:
    """Words that were run together or pulled apart, spaced anew; other text as it is."""
    question = _LONG.sub(lambda match: space_words(match[0]), question)
    return _SINGLES.sub(lambda match: space_words(match[0].replace(" ", "")), question)
