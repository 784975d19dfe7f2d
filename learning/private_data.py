"""Personal data and secrets become typed placeholders, in prompts and in both sides of a pair alike.

Patterns with check digits and words that stand before a number; no model, so people's names stay. Where the law of
check digits cannot decide (an account, a passport), the number counts only behind a word that says what it is.
Chosen over Presidio, which finds less in Korean, loads torch and spaCy and takes 30 ms a prompt: docs/log.md.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal

import phonenumbers

from core.prompt import Message
from core.secret_patterns import PEM_BLOCK, find_secrets
from learning.pairs import Pair
from learning.private_numbers import (
    has_birth_date,
    is_foreigner,
    passes_business_check,
    passes_iban_check,
    passes_luhn,
    passes_resident_check,
    read_digits,
)

Kind = Literal[
    "key",
    "e-mail",
    "resident number",
    "foreigner number",
    "card",
    "account",
    "driver's licence",
    "passport",
    "business number",
    "social security number",
    "phone",
    "address",
]
# Lines repeat: the standing prompt in every pair, a passage in many.
LINES_REMEMBERED = 20_000
# How far before a number the word that explains it may stand, in characters.
REACH = 32


@dataclass(frozen=True, slots=True)
class Finding:
    """A stretch of text that is somebody's; `start` and `end` in characters."""

    start: int
    end: int
    kind: Kind


_SEP = r"[-\u2010-\u2015\u2212.\s]"
_HYPHEN = r"[-\u2010-\u2015\u2212]"
# Every kind but a key holds a digit or an @.
_WORTH_READING = re.compile(r"[\d@]|[A-Za-z_-]{14}")
# Read first, once a line: without seven digits near each other no number can be there, without these ends no address.
_NUMBERED = re.compile(r"\d(?:[-\u2010-\u2015\u2212.\s()A-Za-z]{0,3}\d){6}|[A-Z]{2}\d\d|\d{6}\s?-\s?\d")
_PLACED = re.compile(
    r"[로길동리가]\s?(?:지하\s?)?\d|\d.*\b(?:St|Ave|Road|Rd|Boul|Blvd|Lane|Ln|Dr|C|Way|Place|Sq|Terr)|\d.*-(?:daero|ro|gil|dong)\b"
)
_EMAIL = re.compile(r"[A-Za-z0-9][\w.+%-]*@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,}", re.ASCII)
_RESIDENT = re.compile(rf"(?<![\d-])\d{{6}}\s?(?:{_HYPHEN}\s?)?[1-8]\d{{6}}(?![\d-])")
_RESIDENT_MASKED = re.compile(rf"(?<![\d-])\d{{6}}\s?{_HYPHEN}\s?[1-8](?:\d{{0,5}}[*xX●]{{1,6}})")
_RESIDENT_WORDS = re.compile(r"주민|외국인|등록\s?번호|resident|registration|RRN|ARC|alien|foreigner", re.I)
_BUSINESS = re.compile(rf"(?<![\d-])\d{{3}}(?:{_HYPHEN}?)\d{{2}}(?:{_HYPHEN}?)\d{{5}}(?![\d-])")
_BUSINESS_WORDS = re.compile(r"사업자|business (?:reg|num|no|id)|BRN|tax id|등록증", re.I)
_CARD = re.compile(rf"(?<![\d-])[2-6]\d{{3}}(?:{_SEP}?\d{{4}}){{3}}(?![\d-])")
_AMEX = re.compile(rf"(?<![\d-])3[47]\d{{2}}{_SEP}?\d{{6}}{_SEP}?\d{{5}}(?![\d-])")
_IBAN = re.compile(r"(?<![A-Za-z0-9])[A-Z]{2}\d{2}(?:\s?[A-Z0-9]{4}){2,7}(?:\s?[A-Z0-9]{1,4})?(?![A-Za-z0-9])")
_ACCOUNT = re.compile(rf"(?<![\d-])\d{{2,6}}(?:{_HYPHEN}\d{{1,8}}){{1,4}}(?![\d-])|(?<![\d-])\d{{10,16}}(?![\d-])")
_ACCOUNT_WORDS = re.compile(
    r"계좌|통장|입금|송금|은행|뱅크|농협|신협|수협|우체국|새마을금고"
    r"|\b(?:bank|account|acct|a/c|deposit|wire|transfer)\b",
    re.I,
)
_LICENCE = re.compile(rf"(?<![\d-])(?:1[1-9]|2[0-8]){_HYPHEN}\d{{2}}{_HYPHEN}\d{{6}}{_HYPHEN}\d{{2}}(?![\d-])")
_LICENCE_OLD = re.compile(
    rf"(?:서울|부산|경기|강원|충북|충남|전북|전남|경북|경남|제주|대구|인천|광주|대전|울산)\s?\d{{2}}{_HYPHEN}\d{{6}}{_HYPHEN}\d{{2}}(?![\d-])"
)
_LICENCE_BARE = re.compile(r"(?<![\d-])(?:1[1-9]|2[0-8])\d{10}(?![\d-])|(?<![A-Za-z0-9])[A-Z]\d{7,12}(?![A-Za-z0-9])")
_LICENCE_WORDS = re.compile(r"면허|licen[cs]e", re.I)
_PASSPORT = re.compile(r"(?<![A-Za-z0-9])(?:[MSRODG]\d{3}[A-Z]\d{4}|[A-Z]{1,2}\d{7,8}|\d{9})(?![A-Za-z0-9])", re.I)
_PASSPORT_WORDS = re.compile(r"여권|passport", re.I)
_SOCIAL = re.compile(rf"(?<![\d-])(?!000|666|9)\d{{3}}{_HYPHEN}(?!00)\d{{2}}{_HYPHEN}(?!0000)\d{{4}}(?![\d-])")
_PHONE = re.compile(
    rf"(?<![\w+.-])(?:\+\s?\d{{1,3}}{_SEP}?)?(?:\(\d{{1,4}}\){_SEP}?)?\d{{1,4}}(?:{_SEP}?\d{{2,5}}){{1,4}}(?![\d-])"
)
_PHONE_WORDS = re.compile(
    r"전화|연락|휴대|핸드폰|폰\s?번호|내선|팩스|\b(?:call|phone|tel|mobile|cell|fax|reach|dial|text|contact)\b", re.I
)
_KOREAN_PHONE = re.compile(r"(?:\+?82)?0?(?:1[016789]\d{7,8}|2\d{7,8}|[3-6][1-5]\d{7,8}|70\d{8}|50\d{8,9}|80\d{7})")
_CITY = (
    r"(?:(?:서울|부산|대구|인천|광주|대전|울산|세종|경기|강원|충청?[북남]|전라?[북남]|경상?[북남]|충청[북남]|전라[북남]|경상[북남]|제주)"
    r"(?:특별자치시|특별자치도|특별시|광역시|시|도)?\s+)"
)
_DISTRICT = r"(?:[가-힣]{1,5}(?:시|군|구)\s+)"
_PLACE = r"(?:[가-힣]{1,6}[읍면]\s+)?(?:[가-힣]{1,8}\d*(?:대로|로|길|동|리|가)(?:\d+(?:번)?길)?)"
_HOUSE = r"\s?(?:지하\s?)?\d+(?:-\d+)?(?:번지)?(?:,?\s?\d+동)?(?:,?\s?\d+층)?(?:,?\s?\d+호)?"
_ADDRESS_KO = re.compile(
    rf"(?:{_CITY}{_DISTRICT}{{0,2}}|{_DISTRICT}{{1,2}}){_PLACE}{_HOUSE}(?![\d가-힣]*(?:년|월|일|명|개|원|시간))"
)
_ADDRESS_EN = re.compile(
    r"(?<![\w-])\d{1,5}(?:-\d{1,4})?,? (?:[NSEW]\.? )?(?:[A-Z][a-z]+ ){1,3}"
    r"(?:Street|St|Avenue|Ave|Road|Rd|Boulevard|Blvd|Lane|Ln|Drive|Dr|Court|Ct|Way|Place|Square|Terrace)\b(?:\.(?=,))?"
    r"(?:,? (?:Apt|Suite|Unit|Floor|#)\.? ?\w+)?(?:, [A-Z][a-z]+(?: [A-Z][a-z]+)?)?(?:,? [A-Z]{2} \d{5}(?:-\d{4})?)?"
)
_ADDRESS_ROMAN = re.compile(
    r"(?<![\w-])\d{1,5}(?:-\d{1,4})?,? [A-Z][a-z]+(?:-?[a-z]+)?-(?:daero|ro|gil|dong)(?:,? ?\d+(?:beon)?-gil)?"
    r"(?:, [A-Z][a-z]+-(?:gu|si|gun|do|dong))*(?:, (?:Seoul|Busan|Incheon|Daegu|Daejeon|Gwangju|Ulsan|Sejong|Jeju))?"
)


def redact(text: str, counts: Counter[str] | None = None) -> str:
    """The text with a placeholder such as `(phone)` for each find; done twice, it changes nothing more.

    Args:
        counts: finds are added to it by kind.
    """
    if not _WORTH_READING.search(text) and "-----BEGIN" not in text:
        return text
    text = PEM_BLOCK.sub(lambda _: _note(counts, "key"), text) if "-----BEGIN" in text else text
    lines: list[str] = []
    for line in text.split("\n"):
        cleaned, kinds = _redact_line(line)
        lines.append(cleaned)
        if counts is not None:
            counts.update(kinds)
    return "\n".join(lines)


def redact_messages(messages: list[Message], counts: Counter[str] | None = None) -> list[Message]:
    """Messages as they were served, without personal data and secrets."""
    return [{"role": turn["role"], "content": redact(turn["content"], counts)} for turn in messages]


def redact_pair(pair: Pair, counts: Counter[str] | None = None) -> Pair:
    """The pair without personal data and secrets; all its texts alike, so that a copied placeholder is right."""
    return replace(
        pair,
        prompt=redact_messages(pair.prompt, counts),
        chosen=redact(pair.chosen, counts),
        rejected=redact(pair.rejected, counts),
        question=redact(pair.question),
    )


def find_private(line: str) -> list[Finding]:
    """What of one line is personal or secret, in order, without overlaps: the surest kind wins."""
    found: list[Finding] = []
    if not _WORTH_READING.search(line):
        return found
    is_numbered = bool(_NUMBERED.search(line))
    for kind, find in _RECOGNISERS:
        if not is_numbered and kind in _NUMBERS:
            continue
        for start, end in find(line):
            if all(end <= other.start or start >= other.end for other in found):
                found.append(Finding(start, end, kind))
    return sorted(found, key=lambda finding: finding.start)


@lru_cache(LINES_REMEMBERED)
def _redact_line(line: str) -> tuple[str, tuple[Kind, ...]]:
    found = find_private(line)
    parts, at = [], 0
    for finding in found:
        parts += [line[at : finding.start], f"({finding.kind})"]
        at = finding.end
    return "".join([*parts, line[at:]]), tuple(finding.kind for finding in found)


def _note(counts: Counter[str] | None, kind: Kind) -> str:
    if counts is not None:
        counts[kind] += 1
    return f"({kind})"


def _is_behind(words: re.Pattern[str], line: str, start: int) -> bool:
    return bool(words.search(line, max(0, start - REACH), start))


def _find_emails(line: str) -> Iterator[tuple[int, int]]:
    if "@" in line:
        yield from (match.span() for match in _EMAIL.finditer(line))


def _find_residents(line: str, *, foreign: bool) -> Iterator[tuple[int, int]]:
    for match in _RESIDENT.finditer(line):
        number = match.group()
        is_written = len(number) > 13 or _is_behind(_RESIDENT_WORDS, line, match.start())
        if is_foreigner(number) is foreign and has_birth_date(number) and (is_written or passes_resident_check(number)):
            yield match.span()
    for match in _RESIDENT_MASKED.finditer(line):
        if is_foreigner(match.group()) is foreign and has_birth_date(match.group()):
            yield match.span()


def _find_businesses(line: str) -> Iterator[tuple[int, int]]:
    for match in _BUSINESS.finditer(line):
        is_named = _is_behind(_BUSINESS_WORDS, line, match.start())
        is_written = len(match.group()) == 12
        if passes_business_check(match.group()) and (is_written or is_named):
            yield match.span()


def _find_cards(line: str) -> Iterator[tuple[int, int]]:
    for pattern in (_CARD, _AMEX):
        yield from (match.span() for match in pattern.finditer(line) if passes_luhn(match.group()))


def _find_accounts(line: str) -> Iterator[tuple[int, int]]:
    yield from (match.span() for match in _IBAN.finditer(line) if passes_iban_check(match.group()))
    for match in _ACCOUNT.finditer(line):
        is_long = 10 <= len(read_digits(match.group())) <= 16
        is_other = _is_date(match.group()) or _is_phone(match.group())
        if is_long and not is_other and _is_behind(_ACCOUNT_WORDS, line, match.start()):
            yield match.span()


def _find_licences(line: str) -> Iterator[tuple[int, int]]:
    yield from (match.span() for match in _LICENCE.finditer(line))
    for pattern in (_LICENCE_OLD, _LICENCE_BARE):
        for match in pattern.finditer(line):
            if _is_behind(_LICENCE_WORDS, line, match.start()):
                yield match.span()


def _find_passports(line: str) -> Iterator[tuple[int, int]]:
    return (match.span() for match in _PASSPORT.finditer(line) if _is_behind(_PASSPORT_WORDS, line, match.start()))


def _find_socials(line: str) -> Iterator[tuple[int, int]]:
    return (match.span() for match in _SOCIAL.finditer(line))


def _find_phones(line: str) -> Iterator[tuple[int, int]]:
    for match in _PHONE.finditer(line):
        number = match.group()
        if _is_date(number) or not 8 <= len(read_digits(number)) <= 15:
            continue
        if _is_phone(number, is_named=_is_behind(_PHONE_WORDS, line, match.start())):
            yield match.span()


def _is_phone(number: str, *, is_named: bool = False) -> bool:
    """Whether a written number can be called: a Korean one by its form, another by libphonenumber."""
    digits = read_digits(number)
    written = len(re.findall(r"\d+", number)) > 1
    is_abroad = number.startswith("+")
    starts_like_one = digits.startswith("01" if not written else "0") or digits.startswith("82")
    if starts_like_one and (written or is_named or digits.startswith("01")) and _KOREAN_PHONE.fullmatch(digits):
        return True
    is_american = re.fullmatch(rf"(?:1{_SEP})?(?:\(\d{{3}}\)\s?|\d{{3}}{_SEP})\d{{3}}{_SEP}\d{{4}}", number)
    if not (is_abroad or is_american or (is_named and written)):
        return False
    return _is_dialled(number, "US" if is_american else "KR")


def _is_dialled(number: str, region: str) -> bool:
    try:
        parsed = phonenumbers.parse(number, region)
    except phonenumbers.NumberParseException:
        return False
    return phonenumbers.is_valid_number(parsed)


def _is_date(number: str) -> bool:
    """A day in any of its usual forms, also with a time or as a range of years."""
    return bool(re.match(r"(?:19|20)\d{2}[-./ ]\s?(?:0?[1-9]|1[0-2]|(?:19|20)\d{2})(?:[-./ ]|$)", number))


def _find_addresses(line: str) -> Iterator[tuple[int, int]]:
    patterns = (_ADDRESS_KO, _ADDRESS_EN, _ADDRESS_ROMAN) if _PLACED.search(line) else ()
    for pattern in patterns:
        yield from (match.span() for match in pattern.finditer(line))


_NUMBERS: tuple[Kind, ...] = (
    "resident number",
    "foreigner number",
    "card",
    "driver's licence",
    "passport",
    "business number",
    "account",
    "social security number",
    "phone",
)
# Order matters: a resident number holds what looks like part of a phone number, an account like all of one.
_RECOGNISERS: tuple[tuple[Kind, Callable[[str], Iterator[tuple[int, int]]]], ...] = (
    ("e-mail", _find_emails),
    ("key", find_secrets),
    ("resident number", lambda line: _find_residents(line, foreign=False)),
    ("foreigner number", lambda line: _find_residents(line, foreign=True)),
    ("card", _find_cards),
    ("driver's licence", _find_licences),
    ("passport", _find_passports),
    ("business number", _find_businesses),
    ("account", _find_accounts),
    ("social security number", _find_socials),
    ("phone", _find_phones),
    ("address", _find_addresses),
)
