"""Addresses in running text, as a browser or a chat program would find them: with and without a scheme. Pure."""

import re
import unicodedata
from collections.abc import Iterable, Iterator

_END = r"[^\s<>`|\"'“”‘’]"
_FOUND = re.compile(
    rf"""(?:\b[a-z][a-z0-9+.-]{{0,30}}://{_END}+)
      |(?:\b(?:data|javascript|vbscript|mailto|file|tel|blob|about|sms|ftp|callto|msteams|slack):{_END}+)
      |(?:\bwww\.{_END}+)
      |(?:(?<![\w:/.])[/\\]{{2}}[\w.-]+\.\w+{_END}*)
      |(?:(?<![\w@/-])(?<![\w-]\.)(?:[^\W_][\w-]*\.)+(?:[a-z]{{2,24}}|[^\W\d_a-z]{{2,24}})(?::\d+)?[/?\#]{_END}*)
      |(?:(?<![\w@/-])(?<![\w-]\.)(?:[^\W_][\w-]*\.)+(?:com|net|org|io|dev|app|ai|info|biz|xyz|site|online|link|click|example|co|kr|uk|de|jp|cn|ru|me|ly|gg|to|tk|zip|mov)(?![\w.-]))""",
    re.IGNORECASE | re.VERBOSE,
)
_TRAILING = ".,;:!?)]}>*_~。…"


def find_addresses(text: str) -> Iterator[tuple[int, int]]:
    """Start and end of each, without the punctuation after it."""
    for match in _FOUND.finditer(text):
        yield match.start(), match.start() + len(match[0].rstrip(_TRAILING))


def read_addresses(texts: Iterable[str]) -> frozenset[str]:
    """Every address of some texts, in one form."""
    return frozenset(fold_address(text[begin:end]) for text in texts for begin, end in find_addresses(text))


def fold_address(address: str) -> str:
    """One form of an address; letters that only look like others stay what they are."""
    return unicodedata.normalize("NFC", address).casefold().rstrip("/")
