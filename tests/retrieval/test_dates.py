"""Dates as sources and files write them."""

from datetime import UTC, datetime, timedelta

import pytest

from retrieval.dates import read_date, read_timestamp


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("2026-05-03T01:02:03.123Z", datetime(2026, 5, 3, 1, 2, 3, 123_000, UTC)),
        ("2026-05-03T01:00:00+09:00", datetime(2026, 5, 2, 16, tzinfo=UTC)),
        ("2026-05-03", datetime(2026, 5, 3, tzinfo=UTC)),
        ("2026-05", datetime(2026, 5, 1, tzinfo=UTC)),
        ("2026. 5. 3.", datetime(2026, 5, 3, tzinfo=UTC)),
        ("Sun, 03 May 2026 01:00:00 GMT", datetime(2026, 5, 3, 1, tzinfo=UTC)),
        ("Sun, 3 May 2026 10:00:00 +0900 (KST)", datetime(2026, 5, 3, 1, tzinfo=UTC)),
    ],
)
def test_a_date_is_read_in_utc(written: str, read: datetime) -> None:
    assert read_date(written) == read


@pytest.mark.parametrize("written", ["", None, "yesterday", "2026-13-45", "1970-01-01", "0001-01-01", "9" * 5000, {}])
def test_what_is_no_date_is_none(written: object) -> None:
    assert read_date(written) is None


def test_a_day_to_come_is_no_date_of_a_change() -> None:
    now = datetime.now(UTC)
    assert read_date((now + timedelta(days=3)).isoformat()) is None
    assert read_date((now + timedelta(hours=9)).isoformat()) is not None


def test_an_unset_clock_is_no_date() -> None:
    assert (read_timestamp(0), read_timestamp(1e30), read_timestamp(86_400)) == (
        None,
        None,
        datetime(1970, 1, 2, tzinfo=UTC),
    )
