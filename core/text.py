"""Text from people, documents and models, made safe to store and to count."""

import re
import unicodedata

# Tab and newline stay: they carry structure. The rest of C0, DEL and C1 has no place in a question or an answer.
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def clean_text(text: str) -> str:
    """NFC text that PostgreSQL can hold: no NUL, no control characters, no unpaired surrogates, `\\n` line ends."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    text = text.encode("utf-8", "ignore").decode("utf-8")
    return unicodedata.normalize("NFC", _CONTROL.sub("", text))
