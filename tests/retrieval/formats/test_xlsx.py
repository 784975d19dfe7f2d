"""Workbooks: sheets under their names, rows with their header, values as shown, bounded."""

import datetime
import io
import zipfile

import pytest
from openpyxl import Workbook

from core.errors import InvalidInputError
from retrieval.formats.blocks import Block
from retrieval.formats.registry import extract
from tests.retrieval.formats.packages import change_part


def save(workbook: Workbook) -> bytes:
    stored = io.BytesIO()
    workbook.save(stored)
    return stored.getvalue()


SHEET = '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">{}<sheetData>{}</sheetData></worksheet>'


def test_every_row_carries_its_header_and_values_as_shown() -> None:
    workbook = Workbook()
    sheet = workbook.active
    sheet.title = "식비"
    sheet.append(["2026년 기준"])
    sheet.append(["지역", "한도", "시행일"])
    sheet.append(["서울", 40000, datetime.date(2026, 3, 1)])
    sheet["B3"].number_format, sheet["C3"].number_format = '#,##0"원"', "yyyy-mm-dd"
    other = workbook.create_sheet("Rates")
    other.append(["Grade", "Share"])
    other.append(["A", 0.15])
    other["B2"].number_format = "0%"
    workbook.create_sheet("lists").sheet_state = "hidden"
    workbook["lists"].append(["not", "seen"])
    extracted = extract(save(workbook), "limits.xlsx")
    assert extracted.title == "limits"
    assert extracted.blocks == [
        Block("heading", "식비", 1),
        Block("paragraph", "2026년 기준"),
        Block("row", "지역: 서울 | 한도: 40,000원 | 시행일: 2026-03-01"),
        Block("heading", "Rates", 1),
        Block("row", "Grade: A | Share: 15%"),
    ]


def test_tables_below_each_other_keep_their_own_headers() -> None:
    workbook = Workbook()
    for row in (["Site", "Limit"], ["Seoul", 4], [], ["Busan", 3], [], ["Grade", "Days"], ["A", 15]):
        workbook.active.append(row)
    texts = [block.text for block in extract(save(workbook), "a.xlsx").blocks]
    assert texts == ["Site: Seoul | Limit: 4", "Site: Busan | Limit: 3", "Grade: A | Days: 15"]


def test_a_million_empty_rows_are_passed_over() -> None:
    workbook = Workbook()
    workbook.active.append(["Site", "Limit"])
    workbook.active["A1000000"], workbook.active["B1000000"] = "Seoul", 4
    assert [block.text for block in extract(save(workbook), "a.xlsx").blocks] == ["Site: Seoul | Limit: 4"]


def test_a_sheet_that_claims_to_be_huge_is_read_as_it_is() -> None:
    rows = '<row r="1"><c r="A1"><v>7</v></c></row>'
    part = SHEET.format('<dimension ref="A1:XFD1048576"/>', rows)
    content = change_part(save(Workbook()), "xl/worksheets/sheet1.xml", lambda _: part)
    assert [block.text for block in extract(content, "a.xlsx").blocks] == ["7"]


def test_rows_padded_to_the_far_right_are_refused_before_memory_is() -> None:
    rows = "".join(f'<row r="{row}"><c r="XFD{row}"><v>7</v></c></row>' for row in range(1, 2000))
    content = change_part(save(Workbook()), "xl/worksheets/sheet1.xml", lambda _: SHEET.format("", rows))
    with pytest.raises(InvalidInputError, match="at most 20,000,000 cells"):
        extract(content, "a.xlsx")


def test_entities_that_multiply_are_refused() -> None:
    entities = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 10))
    bomb = f'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY e0 "lol">{entities}]>'
    part = bomb + SHEET.format("", '<row r="1"><c r="A1" t="inlineStr"><is><t>&e9;</t></is></c></row>')
    with pytest.raises(InvalidInputError, match="broken"):
        extract(change_part(save(Workbook()), "xl/worksheets/sheet1.xml", lambda _: part), "a.xlsx")


def test_an_encrypted_workbook_says_what_to_do() -> None:
    with pytest.raises(InvalidInputError, match=r"save it as \.xlsx without a password"):
        extract(bytes.fromhex("d0cf11e0a1b11ae1") + bytes(100), "secret.xlsx")


def test_a_package_without_a_workbook_is_broken() -> None:
    stored = io.BytesIO()
    with zipfile.ZipFile(stored, "w") as archive:
        archive.writestr("readme.txt", "no workbook")
    with pytest.raises(InvalidInputError, match="expected a workbook, got a broken one"):
        extract(stored.getvalue(), "a.xlsx")
