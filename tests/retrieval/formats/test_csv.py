"""Tables in text files: encoding and delimiter are found out."""

import pytest

from core.errors import InvalidInputError
from retrieval.formats.blocks import Block
from retrieval.formats.registry import extract

ROWS = [["지역", "한도", "비고"], ["서울", "40,000원", "첫 줄\n둘째 줄"], ["부산", "30,000원", ""]]
EXPECTED = [
    Block("row", "지역: 서울 | 한도: 40,000원 | 비고: 첫 줄 둘째 줄"),
    Block("row", "지역: 부산 | 한도: 30,000원"),
]


def write(delimiter: str) -> str:
    return "\r\n".join(delimiter.join(f'"{cell}"' for cell in row) for row in ROWS) + "\r\n"


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp949", "utf-16"])
def test_delimiter_and_encoding_are_found_out(delimiter: str, encoding: str) -> None:
    extracted = extract(write(delimiter).encode(encoding), "meals/한도.csv")
    assert (extracted.title, extracted.blocks) == ("한도", EXPECTED)


def test_a_tab_separated_file_of_one_column_is_a_list() -> None:
    assert [block.text for block in extract(b"Site\nSeoul, Korea\nBusan", "sites.tsv").blocks] == [
        "Site: Seoul, Korea",
        "Site: Busan",
    ]


def test_a_quote_within_a_quoted_cell_stays() -> None:
    content = b'Name,Note\n"Kim","says ""yes"", often"\n'
    assert extract(content, "a.csv").blocks == [Block("row", 'Name: Kim | Note: says "yes", often')]


def test_a_quote_that_never_ends_is_named() -> None:
    with pytest.raises(InvalidInputError, match="expected a table"):
        extract(b'a,b\n"never,ends\n', "a.csv")
