"""Tables as rows that carry their header."""

from retrieval.formats.blocks import Block, build_rows


def test_a_row_without_a_header_of_its_own_stands_alone() -> None:
    assert build_rows([["only", "row"]]) == [Block("row", "only | row")]


def test_rows_of_one_cell_above_a_table_are_its_caption() -> None:
    rows = build_rows([["Meals 2026", ""], ["Site", "Limit"], ["Seoul", "4"]])
    assert rows == [Block("paragraph", "Meals 2026"), Block("row", "Site: Seoul | Limit: 4")]


def test_a_column_of_single_cells_has_a_header_and_no_caption() -> None:
    assert build_rows([["Site"], ["Seoul"]]) == [Block("row", "Site: Seoul")]
