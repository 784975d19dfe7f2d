"""What may leave in an answer, and what may be learnt from one: judged by the text alone, whatever model wrote it.

A model may obey an instruction that a document hides. What it could give away is what stood in its prompt, and what it
could carry it out by is an address; so neither leaves. The checks are of letters, not of meaning: a standing prompt
that is translated passes. Pure.
"""

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from typing import Literal

from core.addresses import find_addresses, fold_address, read_addresses
from core.instructions import is_command, leave_out_instructions
from core.secret_patterns import PEM_BLOCK, find_secrets

Reason = Literal["address", "blob", "hidden_text", "instruction", "secret"]

# As many letters in a row of a hidden text are no chance: five words of English, three of Korean. A text that is
# shorter counts as a whole, down to the second number.
LETTERS, HANGUL_LETTERS = (28, 20), (14, 10)
# What may still become an address, a key or a blob.
_UNFINISHED = re.compile(r"[:/@=\\_+]|\.\S|\S{20}")
# How far back a growing text is read again, in characters.
REACH = 400

_BLOB = re.compile(r"[A-Za-z0-9+/=_%-]{40,}")
_HANGUL = re.compile(r"[\uac00-\ud7a3]")
_NO_LETTER = re.compile(r"[\W_]+")
_SECRET = "(•••)"


def find_unsafe(text: str, *, sources: Sequence[str], hidden: Sequence[str] = ()) -> Reason | None:
    """Why a text may not leave; None where it may.

    Args:
        sources: what it was written from; their addresses and their words are nobody's secret.
        hidden: texts of the prompt that are not for the reader.
    """
    known = _read_addresses(tuple(sources))
    if any(fold_address(text[begin:end]) not in known for begin, end in find_addresses(text)):
        return "address"
    if redact_secrets(text) != text:
        return "secret"
    if any(not any(blob[0] in source for source in sources) for blob in _BLOB.finditer(text)):
        return "blob"
    if is_command(text):
        return "instruction"
    return "hidden_text" if repeats_hidden(text, sources=sources, hidden=hidden) else None


def repeats_hidden(text: str, *, sources: Sequence[str], hidden: Sequence[str]) -> bool:
    """Whether a text holds a stretch of hidden ones that its sources do not hold; case and punctuation aside."""
    squeezed = _squeeze(text)
    found = [stretch for one in hidden for stretch in _list_stretches(one) if stretch in squeezed]
    if not found:
        return False
    read = "\n".join(map(_squeeze, sources))
    return any(stretch not in read for stretch in found)


def redact_secrets(text: str) -> str:
    """The text with a mark in place of each key, token and password."""
    text = PEM_BLOCK.sub(_SECRET, text) if "-----BEGIN" in text else text
    return "\n".join(_redact_line(line) for line in text.split("\n"))


class Growing:
    """Lets as much of a growing answer pass as is safe whatever comes after it; from the first fault on no more."""

    def __init__(self, *, sources: Sequence[str], hidden: Sequence[str]) -> None:
        self._sources, self._hidden = sources, hidden
        self._passed = ""
        self._is_stopped = False

    def pass_on(self, text: str) -> str:
        """The start of the text that may be shown; never shorter than before."""
        settled = _leave_out_unfinished(text)
        if self._is_stopped or len(settled) <= len(self._passed):
            return self._passed
        # From the start of a word, for half an address is another one.
        start = settled.rfind(" ", 0, max(0, len(self._passed) - REACH)) + 1
        if find_unsafe(settled[start:], sources=self._sources, hidden=self._hidden):
            self._is_stopped = True
        else:
            self._passed = settled
        return self._passed


def _leave_out_unfinished(text: str) -> str:
    at = max(text.rfind(blank) for blank in " \n\t") + 1
    return text[:at] if _UNFINISHED.search(text, at) else text


def _redact_line(line: str) -> str:
    for begin, end in reversed(list(find_secrets(line))):
        line = line[:begin] + _SECRET + line[end:]
    return line


def _squeeze(text: str) -> str:
    """Letters and digits only."""
    return _NO_LETTER.sub("", unicodedata.normalize("NFKC", text).casefold())


@lru_cache(maxsize=256)
def _list_stretches(text: str) -> tuple[str, ...]:
    squeezed = _squeeze(text)
    size, least = HANGUL_LETTERS if len(_HANGUL.findall(squeezed)) * 2 > len(squeezed) else LETTERS
    size = min(size, len(squeezed))
    return tuple(squeezed[at : at + size] for at in range(len(squeezed) - size + 1)) if size >= least else ()


@lru_cache(maxsize=64)
def _read_addresses(sources: tuple[str, ...]) -> frozenset[str]:
    """Where a sentence speaks to the assistant, its address is not the document's to give.

    A growing answer asks for those of the same sources again and again.
    """
    return read_addresses(leave_out_instructions(source) for source in sources if any(find_addresses(source)))
