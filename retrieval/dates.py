"""When a document last changed, as sources and files write it. Pure but for the clock."""

import re
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

_LONGEST = 64
_NUMBERS = re.compile(r"(\d{4})(?:[-./]\s?(\d{1,2})(?:[-./]\s?(\d{1,2})\.?)?)?")
_NULL_DATES_END = datetime(1970, 1, 2, tzinfo=UTC)
# Clocks of other machines, and days of other time zones.
_AHEAD = timedelta(days=1)


def read_date(written: object) -> datetime | None:
    """A date in UTC; None where it is none, or cannot be that of a change.

    Args:
        written: ISO 8601 whole or in part (`2026-05`), `2026.5.1`, or as in e-mail and HTTP. Without a zone it is UTC.
    """
    text = str(written or "").strip()
    if not text or len(text) > _LONGEST:
        return None
    for parse in (datetime.fromisoformat, _parse_numbers, parsedate_to_datetime):
        try:
            return check_date(parse(text))
        except (ValueError, TypeError, IndexError, OverflowError):
            continue
    return None


def read_timestamp(seconds: float) -> datetime | None:
    """The same of seconds since 1970."""
    try:
        return check_date(datetime.fromtimestamp(seconds, UTC))
    except (ValueError, OverflowError, OSError):
        return None


def check_date(moment: datetime) -> datetime | None:
    """The moment in UTC; None where a clock was not set, or the day is yet to come.

    Raises:
        OverflowError: at the calendar's ends.
    """
    aware = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    return aware if _NULL_DATES_END <= aware <= datetime.now(UTC) + _AHEAD else None


def _parse_numbers(text: str) -> datetime:
    found = _NUMBERS.fullmatch(text)
    if found is None:
        raise ValueError("expected a year, a month or a day")
    year, month, day = (int(part or 1) for part in found.groups())
    return datetime(year, month, day, tzinfo=UTC)
