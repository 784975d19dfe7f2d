"""When a document changed and whose it is, where a question clearly says so."""

import calendar
import re
from dataclasses import dataclass
from datetime import date, timedelta

_MONTHS = {
    name.lower(): number
    for names in (calendar.month_name, calendar.month_abbr)
    for number, name in enumerate(names)
    if name
}
_MONTH = "|".join(sorted(_MONTHS, key=len, reverse=True))

_CHANGED = r"(?:chang|updat|modif|revis|amend|add|edit|publish)(?:e?d|ied)?"
_KOREAN_CHANGED = (
    r"(?:(?:새로\s?)?(?:바뀐|바뀌었|변경된|변경되|수정된|개정된|개정되|추가된|등록된|게시된|작성된|업데이트\s?된|고친|올라온)"
    r"|새로\s?(?:나온|생긴|올린))"
)
_DAY = (
    rf"(?P<iso>\d{{4}}-\d{{1,2}}(?:-\d{{1,2}})?)|(?P<month>{_MONTH})\b\.?(?:\s+(?P<month_year>\d{{4}}))?"
    r"|(?P<year>(?:19|20)\d\d)"
)
_ENGLISH = re.compile(
    rf"""\b(?:(?:that|which)\s+)?(?:(?:has|have|had|was|were)\s+)?(?:been\s+)?{_CHANGED}\s+
         (?:(?P<word>since|after|before|in)\s+(?:{_DAY})\b
           |(?:since\s+|in\s+the\s+)?(?P<last>last|past|this)\s+(?:(?P<count>\d{{1,3}})\s+)?(?P<unit>day|week|month|year)s?\b
           |(?:since\s+)?(?P<near>yesterday|today|recently|lately)\b)
         |\b(?P<before>recently|lately)\s+{_CHANGED}\b(?!\s+(?:since|after|before))""",
    re.IGNORECASE | re.VERBOSE,
)
_KOREAN = re.compile(
    rf"""(?:(?P<year>(?:19|20)\d\d)\s?년(?:\s?(?P<month>\d{{1,2}})\s?월)?(?:\s?(?P<day>\d{{1,2}})\s?일)?\s*
           (?P<word>이후|부터|이전|에)?(?:로|에|까지)?
         |(?P<named>작년|지난해|올해|금년|지난\s?달|이번\s?달|지난\s?주|이번\s?주)(?:에|부터|\s이후)?
         |(?P<only_month>\d{{1,2}})\s?월\s?(?P<only_word>이후|부터|이전|에)(?:로|에|까지)?
         |(?P<near>어제|오늘|최근)(?:에|부터|\s이후)?
         |(?:최근|지난)\s*(?P<count>\d{{1,3}})\s?(?P<unit>일|주|개월|달|년)(?:\s?(?:간|동안|이내|사이))?(?:에)?)
        \s*{_KOREAN_CHANGED}""",
    re.VERBOSE,
)
_NAME = r"[A-Za-z][\w.@-]{1,40}|[가-힣]{2,4}"
_OWNERS = (
    re.compile(
        rf"\b(?:(?:owned|maintained|managed|kept)\s+by|(?<=documents\s)by(?=\s+(?-i:[A-Z])))\s+(?P<name>{_NAME})"
        r"(?:\s+(?:about|on)\b)?",
        re.IGNORECASE,
    ),
    re.compile(rf"\bowner\s*[:=]\s*(?P<name>{_NAME})", re.IGNORECASE),
    re.compile(
        r"(?:소유자|담당자|문서\s?주인)(?:가|는|:)\s*(?P<name>[A-Za-z][\w.@-]{1,40}|[가-힣]{2,4}?)(?:인|님인)\s*(?=문서|자료|규정)"
    ),
    re.compile(
        r"(?P<name>[A-Za-z][\w.@-]{1,40}?|[가-힣]{2,4}?)(?:\s?님)?(?:이|가)?\s*(?:소유한|소유의|관리하는)\s*(?=문서|자료|규정)"
    ),
)
_SIDES = {"이후": "since", "부터": "since", "이전": "before"}
# `recently`, in days.
_RECENT = 30
_NEAR = {"yesterday": 1, "어제": 1, "today": 0, "오늘": 0}
_DAYS = {"day": 1, "week": 7, "month": 30, "year": 365, "일": 1, "주": 7, "개월": 30, "달": 30, "년": 365}


@dataclass(frozen=True, slots=True)
class Filters:
    """What documents a question is about; None where it does not say.

    Attributes:
        changed_from: first day that counts.
        changed_until: first day that does not count any more.
        owner: a name as it was typed.
        rest: the question without the words that were read here.
        words: those words, as they stand.
    """

    changed_from: date | None
    changed_until: date | None
    owner: str | None
    rest: str
    words: frozenset[str] = frozenset()

    def __bool__(self) -> bool:
        return bool(self.changed_from or self.changed_until or self.owner)


def read_filters(question: str, today: date) -> Filters:
    """The filters of a question. A date alone is none: only with a word that something changed then."""
    rest, span = question, (None, None)
    words: list[str] = []
    for pattern, read in ((_ENGLISH, _read_english), (_KOREAN, _read_korean)):
        if match := pattern.search(rest):
            try:
                span = read({key: value for key, value in match.groupdict().items() if value}, today)
            except ValueError:
                continue
            words += match[0].split()
            rest = rest[: match.start()] + " " + rest[match.end() :]
            break
    owner = None
    for pattern in _OWNERS:
        if match := pattern.search(rest):
            owner = match["name"]
            words += match[0].split()
            rest = rest[: match.start()] + " " + rest[match.end() :]
            break
    return Filters(*span, owner, " ".join(rest.split()), frozenset(words))


def _read_english(found: dict[str, str], today: date) -> tuple[date | None, date | None]:
    if near := found.get("near") or found.get("before"):
        return _read_near(near.lower(), today)
    if "last" in found:
        return _read_last(found["last"].lower(), found.get("count"), found["unit"].lower(), today)
    if "iso" in found:
        numbers = [int(part) for part in found["iso"].split("-")]
    elif "month" in found:
        month = _MONTHS[found["month"].lower()]
        numbers = [int(found.get("month_year") or _find_year(month, today)), month]
    else:
        numbers = [int(found["year"])]
    return _bound(found["word"].lower(), numbers)


def _read_korean(found: dict[str, str], today: date) -> tuple[date | None, date | None]:
    if "near" in found:
        return _read_near(found["near"], today)
    if "only_month" in found:
        month = int(found["only_month"])
        return _bound(_SIDES.get(found["only_word"], "in"), [_find_year(month, today), month])
    if "named" in found:
        named = found["named"].replace(" ", "")
        unit = "year" if named[-1] in "년해" else "month" if named[-1] == "달" else "week"
        return _read_last("this" if named[0] in "올금이" else "last", None, unit, today)
    if "count" in found:
        return _read_last("last", found["count"], found["unit"], today)
    numbers = [int(found[name]) for name in ("year", "month", "day") if name in found]
    return _bound(_SIDES.get(found.get("word", ""), "in"), numbers)


def _find_year(month: int, today: date) -> int:
    """Of the last such month that has begun."""
    return today.year - (month > today.month)


def _read_near(word: str, today: date) -> tuple[date, date | None]:
    days = _NEAR.get(word, _RECENT)
    return today - timedelta(days=days), today if days == 1 else None


def _read_last(which: str, count: str | None, unit: str, today: date) -> tuple[date, date | None]:
    if count:
        return today - timedelta(days=int(count) * _DAYS[unit]), None
    if unit == "day":
        return today - timedelta(days=which != "this"), None
    if unit == "week":
        monday = today - timedelta(days=today.weekday())
        return (monday, None) if which == "this" else (monday - timedelta(days=7), monday)
    first = today.replace(day=1) if unit == "month" else date(today.year, 1, 1)
    if which == "this":
        return first, None
    return ((first - timedelta(days=1)).replace(day=1) if unit == "month" else date(today.year - 1, 1, 1)), first


def _bound(word: str, numbers: list[int]) -> tuple[date | None, date | None]:
    """The span of a year, a month or a day, or what lies on one side of it."""
    first = date(*[*numbers, 1, 1][:3])
    if len(numbers) == 3:
        after = first + timedelta(days=1)
    elif len(numbers) == 2:
        after = (first + timedelta(days=31)).replace(day=1)
    else:
        after = date(first.year + 1, 1, 1)
    return {"since": (first, None), "after": (after, None), "before": (None, first)}.get(word, (first, after))
