"""Cells as they are shown."""

import datetime

import pytest

from retrieval.formats.number_format import show

MOMENT = datetime.datetime(2026, 3, 5, 14, 7, 9)


@pytest.mark.parametrize(
    ("value", "number_format", "shown"),
    [
        (40000, "General", "40000"),
        (0.1 + 0.2, "General", "0.3"),
        (40000, "#,##0", "40,000"),
        (1234.5, "#,##0.00", "1,234.50"),
        (-1234.5, '#,##0.0"원"', "-1,234.5원"),
        (-5, "0;(0)", "(5)"),
        (0, '0;-0;"-"', "-"),
        (0.155, "0.0%", "15.5%"),
        (0.15, "0%", "15%"),
        (40000, "[$₩-412]#,##0", "₩40,000"),
        (40000, '"₩"#,##0_);[Red]("₩"#,##0)', "₩40,000"),
        (-40000, '"₩"#,##0_);[Red]("₩"#,##0)', "(₩40,000)"),
        (7, "000", "007"),
        (3, '"no. 5: "0', "no. 5: 3"),
        (1_500_000, '#,##0,"천원"', "1,500천원"),
        (1.5, "0.##", "1.5"),
        (2, "0.##", "2"),
        (12345.678, "0.00E+00", "12345.678"),
        (True, "General", "TRUE"),
        ("0012", "@", "0012"),
        (None, "General", ""),
    ],
)
def test_numbers(value: object, number_format: str, shown: str) -> None:
    assert show(value, number_format) == shown


@pytest.mark.parametrize(
    ("number_format", "shown"),
    [
        ("mm-dd-yy", "2026-03-05 14:07"),
        ("General", "2026-03-05 14:07"),
        ("yyyy-mm-dd", "2026-03-05"),
        ("yyyy-mm-dd hh:mm:ss", "2026-03-05 14:07:09"),
        ('yyyy"년" m"월" d"일"', "2026년 3월 5일"),
        ("yyyy\\-mm\\-dd;@", "2026-03-05"),
        ("[$-412]yyyy/m/d aaaa", "2026/3/5 목요일"),
        ("d mmm yy", "5 Mar 26"),
        ("h:mm AM/PM", "2:07 PM"),
        ("[$-409]dddd", "Thursday"),
    ],
)
def test_times(number_format: str, shown: str) -> None:
    assert show(MOMENT, number_format) == shown


def test_a_date_without_a_time_is_shown_without_one() -> None:
    assert show(datetime.datetime(2026, 3, 5), "mm-dd-yy") == "2026-03-05"


def test_a_time_in_a_date_format_is_shown_plainly() -> None:
    assert show(datetime.time(9, 30), "yyyy-mm-dd") == "09:30:00"
