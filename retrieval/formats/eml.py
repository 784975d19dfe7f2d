"""E-mail messages (.eml): headers, the plain or HTML body, and the attachments whose format is known."""

from collections.abc import Iterator
from dataclasses import replace
from email import policy
from email.message import EmailMessage, MIMEPart
from email.parser import BytesParser
from itertools import islice

from core.errors import InvalidInputError
from retrieval.dates import read_date
from retrieval.formats.blocks import Block, Extracted, build_extracted, squeeze
from retrieval.formats.budget import Budget
from retrieval.formats.encoding import decode_text
from retrieval.formats.html import extract_html
from retrieval.formats.nested import Nested
from retrieval.formats.text import split_paragraphs

MAX_ATTACHMENTS = 200
_HEADERS = ("From", "To", "Cc", "Date")


def extract_eml(content: bytes, file_name: str, budget: Budget) -> Extracted:
    """Read a message; an attachment becomes a section under its name.

    Raises:
        InvalidInputError: no message, its attachments unpack to too much, or messages are nested too deep.
    """
    message = BytesParser(EmailMessage, policy=policy.default).parsebytes(content)
    subject = _read_header(message, "Subject")
    headers = [f"{name}: {value}" for name in _HEADERS if (value := _read_header(message, name))]
    if not subject and not headers:
        raise InvalidInputError("expected an e-mail message, got a file without its headers; save it as .eml again")
    blocks = [Block("heading", subject, level=1), Block("paragraph", "\n".join(headers)), *_read_body(message)]
    nested = Nested()
    for number, part in enumerate(islice(message.iter_attachments(), MAX_ATTACHMENTS), start=1):
        name, attached = _open_attachment(part, number)
        budget.take(len(attached))
        nested.read(attached, name, budget)
    extracted = build_extracted([*blocks, *nested.blocks], file_name=file_name, title=subject)
    changed_at = read_date(_read_header(message, "Date"))
    return replace(extracted, left_out=nested.left_out, needs_ocr=nested.needs_ocr, changed_at=changed_at)


def _read_header(message: EmailMessage, name: str) -> str:
    """A header as a person reads it; one that cannot be understood is left out."""
    try:
        return squeeze(str(message.get(name, "")))
    except (ValueError, IndexError, AttributeError, TypeError, RecursionError):
        return ""


def _read_body(message: EmailMessage) -> Iterator[Block]:
    """The plain text, else the HTML."""
    body = message.get_body(("plain", "html"))
    if body is None:
        return
    if body.get_content_subtype() == "html":
        yield from extract_html(_decode(body).encode(), "body.html").blocks
        return
    for text in split_paragraphs(_decode(body).replace("\r\n", "\n")):
        yield Block("paragraph", text)


def _decode(part: MIMEPart) -> str:
    content = part.get_payload(decode=True)
    assert isinstance(content, bytes), "a text part is no multipart"
    try:
        # Mail that says euc-kr is written in its superset.
        charset = part.get_content_charset("utf-8")
        return content.decode("cp949" if charset in ("euc-kr", "ks_c_5601-1987") else charset)
    except (LookupError, UnicodeDecodeError):
        return decode_text(content)


def _open_attachment(part: EmailMessage, number: int) -> tuple[str, bytes]:
    """Name and bytes; a message inside a message has the form of a file of its own."""
    name = squeeze(part.get_filename() or "")
    if part.get_content_type() == "message/rfc822":
        inner = part.get_content()
        return name or f"{number}.eml", inner.as_bytes()
    content = part.get_payload(decode=True)
    return name or f"{number}.{part.get_content_subtype()}", content if isinstance(content, bytes) else b""
