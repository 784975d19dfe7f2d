"""A spreadsheet's values as its cells show them: number formats of dates, amounts and shares."""

import datetime
import re
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any, cast

_WEEKDAYS = ("월", "화", "수", "목", "금", "토", "일")
_HALVES = {"AM/PM": ("AM", "PM"), "오전/오후": ("오전", "오후")}
_CURRENCY = re.compile(r"\[\$([^\]-]*)[^\]]*\]")
_BRACKETS = re.compile(r"\[[^\]]*\]")
_QUOTED = re.compile(r'"([^"]*)"|\\(.)|[_*].')
_NUMBER = re.compile(r"[#0?][#0?,]*(?:\.([#0?]*))?")
_DATE = re.compile(r"\"[^\"]*\"|\\.|AM/PM|오전/오후|y+|m+|d+|h+|s+|a{3,4}|.", re.IGNORECASE | re.DOTALL)
# The program shows this one in the form of the reader's country.
_LOCAL_DATE = "mm-dd-yy"
_ODD = re.compile(r"[eE][+-]|/")


def show(value: object, number_format: str) -> str:
    """A cell's text; a format that is not understood falls back on the plain value."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, int | float):
        return _show_number(value, number_format)
    if isinstance(value, datetime.datetime | datetime.date | datetime.time):
        return _show_time(value, number_format)
    return str(value)


def _show_number(value: float, number_format: str) -> str:
    section = _choose_section(value, number_format)
    # A quoted part may hold digits: it is set aside as private characters before the digits are looked for.
    literals: list[str] = []
    section = _BRACKETS.sub("", _CURRENCY.sub(lambda found: f'"{found[1]}"', section))
    section = _QUOTED.sub(lambda found: _set_aside(literals, found[1] or found[2] or ""), section)
    shape = _NUMBER.search(section)
    if _ODD.search(section) or "@" in section or "general" in section.lower():
        return _show_plain(value)
    if not shape:
        return _restore(literals, section)
    try:
        digits = _show_digits(value, shape[0], shape[1] or "", percent="%" in section)
    except (InvalidOperation, OverflowError, ValueError):
        return _show_plain(value)
    negative = value < 0 and ";" not in number_format and digits.strip("0.,")
    shown = _restore(literals, section[: shape.start()] + digits + section[shape.end() :])
    return f"-{shown}" if negative else shown


def _choose_section(value: float, number_format: str) -> str:
    sections = number_format.split(";")
    if value < 0 and len(sections) > 1:
        return sections[1]
    return sections[2] if value == 0 and len(sections) > 2 else sections[0]


def _set_aside(literals: list[str], text: str) -> str:
    literals.append(text)
    return chr(0xE000 + len(literals) - 1)


def _restore(literals: list[str], shown: str) -> str:
    whole = (literals[ord(char) - 0xE000] if "\ue000" <= char <= "\uf8ff" else char for char in shown)
    return "".join(whole).strip()


def _show_digits(value: float, shape: str, places: str, *, percent: bool) -> str:
    whole = shape.split(".", maxsplit=1)[0]
    thousands = len(whole) - len(whole.rstrip(","))
    number = abs(Decimal(str(value))) * (100 if percent else 1) / 1000**thousands
    rounded = number.quantize(Decimal(1).scaleb(-len(places)), rounding=ROUND_HALF_UP)
    shown = f"{rounded:,f}" if "," in whole.rstrip(",") else f"{rounded:f}"
    optional = len(places) - len(places.rstrip("#"))
    while optional and shown.endswith("0"):
        shown, optional = shown[:-1], optional - 1
    head, dot, tail = shown.partition(".")
    zeros = whole.count("0")
    return head.rjust(zeros, "0") + (dot + tail if tail else "")


def _show_plain(value: float) -> str:
    return str(value) if isinstance(value, int) else f"{value:.11g}"


def _show_time(value: datetime.datetime | datetime.date | datetime.time, number_format: str) -> str:
    section = _BRACKETS.sub("", number_format.split(";", maxsplit=1)[0])
    tokens = _DATE.findall(section)
    if section.lower() == _LOCAL_DATE or not any(token[0] in "ymdhsYMDHS" for token in tokens):
        return _show_plain_time(value)
    halves = any(token.upper() in _HALVES for token in tokens)
    parts: list[str] = []
    for place, token in enumerate(tokens):
        minutes = token[0] in "mM" and _is_minutes(tokens, place)
        try:
            parts.append(_show_token(value, token, minutes=minutes, halves=halves))
        except AttributeError:
            return _show_plain_time(value)
    return "".join(parts).strip()


def _show_plain_time(value: datetime.datetime | datetime.date | datetime.time) -> str:
    if isinstance(value, datetime.datetime) and value.time() == datetime.time():
        return value.date().isoformat()
    return value.isoformat(" ", "minutes") if isinstance(value, datetime.datetime) else value.isoformat()


def _is_minutes(tokens: list[str], place: int) -> bool:
    """`m` is minutes after hours and before seconds, else the month."""
    letters = [token[0].lower() if token[0].lower() in "ymdhs" else "" for token in tokens]
    before = next((letter for letter in reversed(letters[:place]) if letter), "")
    after = next((letter for letter in letters[place + 1 :] if letter), "")
    return len(tokens[place]) < 3 and (before == "h" or after == "s")


def _show_token(value: Any, token: str, *, minutes: bool, halves: bool) -> str:
    """One piece of a date's format; raises AttributeError where the value has no such part."""
    long, letter = len(token) > 1, token[0].lower()
    if token[0] in '"\\':
        return token.strip('"') if token[0] == '"' else token[1:]
    if token.upper() in _HALVES:
        return _HALVES[token.upper()][int(value.hour >= 12)]
    if letter in "mda" and len(token) > 2:
        return _name_part(value, letter, whole=len(token) > 3)
    match letter:
        case "y":
            shown = f"{value.year:04d}" if len(token) > 2 else f"{value.year % 100:02d}"
        case "m":
            shown = str(value.minute if minutes else value.month)
        case "d":
            shown = str(value.day)
        case "h":
            shown = str((value.hour - 1) % 12 + 1 if halves else value.hour)
        case "s":
            shown = str(value.second)
        case _:
            return token
    return shown.rjust(2, "0") if long else shown


def _name_part(value: Any, letter: str, *, whole: bool) -> str:
    """Month or weekday by its name."""
    if letter == "a":
        return _WEEKDAYS[int(value.weekday())] + ("요일" if whole else "")
    full, short = ("%B", "%b") if letter == "m" else ("%A", "%a")
    return cast(datetime.date, value).strftime(full if whole else short)
