"""A file's bytes into everything that is stored of it, short of the vectors. Pure; runs in threads."""

import hashlib
from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from core.errors import InvalidInputError
from core.prompt import Language, detect_language
from core.text import clean_text
from retrieval.chunking import Chunk, CountTokens, lay_out, split_into_chunks
from retrieval.formats.blocks import MAX_TEXT_CHARACTERS, Block, Extracted
from retrieval.formats.ocr import is_installed
from retrieval.formats.registry import extract, get_format
from retrieval.lexical import find_terms, find_whole
from retrieval.structure import find_structure

# Raise it when reading, cutting or terms change: every document is then read again at the next ingest.
_RECIPE = 2
_WITHOUT_OCR = ":without ocr"
_MAX_TF = 32_767


@dataclass(frozen=True, slots=True)
class PreparedChunk:
    """A chunk ready to be stored.

    Attributes:
        sha256: of `embedded_text`; the same hash needs no new vector.
        embedded_text: title, heading path and text, what both sides of the search read.
        terms: frequency of each term.
    """

    chunk: Chunk
    sha256: str
    language: Language
    embedded_text: str
    terms: dict[str, int]

    @property
    def length(self) -> int:
        """In terms."""
        return sum(self.terms.values())


@dataclass(frozen=True, slots=True)
class PreparedDocument:
    """A document ready to be stored; `sha256` is of the file, date and label are what it says itself."""

    title: str
    format: str
    language: Language
    sha256: str
    recipe: str
    text: str
    chunks: list[PreparedChunk]
    sensitivity: str = ""
    changed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class CutDocument:
    """A document laid out and cut."""

    title: str
    language: Language
    recipe: str
    text: str
    chunks: list[Chunk]


def build_recipe(max_tokens: int, *, needs_ocr: bool = False) -> str:
    """What decides, besides the file, how a document is cut and which terms it has.

    Args:
        needs_ocr: pages were left out for want of text recognition; once that is installed, the file is read again.
    """
    words = "\n".join(find_whole())
    dictionary = f":words {hashlib.sha256(words.encode()).hexdigest()[:12]}" if words else ""
    return f"{_RECIPE}:{max_tokens}{dictionary}{_WITHOUT_OCR if needs_ocr else ''}"


def find_current_recipes(max_tokens: int) -> list[str]:
    """Recipes by which a stored document would be read in the same way now."""
    recipes = [build_recipe(max_tokens)]
    return recipes if is_installed() else [*recipes, build_recipe(max_tokens, needs_ocr=True)]


def prepare(content: bytes, path: str, *, count_tokens: CountTokens, max_tokens: int) -> PreparedDocument:
    """Read, lay out, cut and index a file.

    Raises:
        InvalidInputError: unknown format, broken, encrypted, binary, empty, or more text than a document has.
    """
    extracted = extract(content, path)
    return prepare_extracted(
        extracted,
        format_name=get_format(path),
        sha256=hashlib.sha256(content).hexdigest(),
        count_tokens=count_tokens,
        max_tokens=max_tokens,
    )


def prepare_extracted(
    extracted: Extracted, *, format_name: str, sha256: str, count_tokens: CountTokens, max_tokens: int
) -> PreparedDocument:
    """The same for a document that some adapter has read already.

    Raises:
        InvalidInputError: there is no text, or too much.
    """
    cut = cut_extracted(extracted, count_tokens=count_tokens, max_tokens=max_tokens)
    return PreparedDocument(
        title=cut.title,
        format=format_name,
        language=cut.language,
        sha256=sha256,
        recipe=cut.recipe,
        text=cut.text,
        chunks=[
            build_chunk(cut.title, chunk, detect_language(chunk.text), count_terms(cut.title, chunk))
            for chunk in cut.chunks
        ],
        sensitivity=clean_text(extracted.sensitivity),
        changed_at=extracted.changed_at,
    )


def cut_extracted(extracted: Extracted, *, count_tokens: CountTokens, max_tokens: int) -> CutDocument:
    """Lay out and cut, without terms.

    Raises:
        InvalidInputError: there is no text, or too much.
    """
    title, blocks = clean_text(extracted.title).strip(), find_structure(_clean(extracted.blocks))
    text, spans = lay_out(blocks)
    if not text:
        raise InvalidInputError("expected some text, got an empty document")
    if len(text) > MAX_TEXT_CHARACTERS:
        raise InvalidInputError(f"expected at most {MAX_TEXT_CHARACTERS:,} characters, got {len(text):,}; split it")
    return CutDocument(
        title=title,
        language=detect_language(text),
        recipe=build_recipe(max_tokens, needs_ocr=extracted.needs_ocr),
        text=text,
        chunks=split_into_chunks(text, spans, title=title, count_tokens=count_tokens, max_tokens=max_tokens),
    )


def count_terms(title: str, chunk: Chunk) -> dict[str, int]:
    """Frequency of each term in what is searched of a chunk."""
    terms = Counter(find_terms(_join(title, chunk)))
    return {term: min(tf, _MAX_TF) for term, tf in terms.items()}


def build_chunk(title: str, chunk: Chunk, language: Language, terms: dict[str, int]) -> PreparedChunk:
    """A chunk as it is stored."""
    embedded_text = _join(title, chunk)
    sha256 = hashlib.sha256(embedded_text.encode()).hexdigest()
    return PreparedChunk(chunk, sha256, language, embedded_text, terms)


def _join(title: str, chunk: Chunk) -> str:
    return "\n".join(part for part in (title, chunk.heading_path, chunk.text) if part)


def _clean(blocks: list[Block]) -> list[Block]:
    cleaned = [Block(block.kind, clean_text(block.text).strip(), block.level, block.page) for block in blocks]
    return [block for block in cleaned if block.text]
