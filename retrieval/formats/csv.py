"""Comma- and tab-separated values: encoding and delimiter are found out, the first row is the header."""

import csv
import io

from core.errors import InvalidInputError
from retrieval.formats.blocks import Extracted, build_extracted, build_rows
from retrieval.formats.encoding import decode_text

MAX_CELL_CHARACTERS = 1_000_000
_SAMPLE_CHARACTERS = 65_536


def extract_csv(content: bytes, file_name: str) -> Extracted:
    """Read a table from a text file; its title is its name.

    Raises:
        InvalidInputError: the bytes are no text, or a quote never ends.
    """
    text = decode_text(content).replace("\r\n", "\n").replace("\r", "\n")
    csv.field_size_limit(MAX_CELL_CHARACTERS)
    try:
        table = list(csv.reader(io.StringIO(text), _find_dialect(text, file_name), strict=True))
    except csv.Error as error:
        raise InvalidInputError(f"expected a table, got a line that is none ({error}); save the file again") from error
    return build_extracted(build_rows(table), file_name=file_name)


def _find_dialect(text: str, file_name: str) -> type[csv.Dialect]:
    fallback = csv.excel_tab if file_name.lower().endswith(".tsv") else csv.excel
    sample = text[:_SAMPLE_CHARACTERS]
    try:
        # A line cut in half at the sample's end would count for one delimiter too few.
        found = csv.Sniffer().sniff(sample[: sample.rfind("\n") + 1] or sample, delimiters=",;\t|")
    except csv.Error:
        return fallback
    # The sniffer tells quotes doubled from quotes escaped by what the sample happens to hold.
    found.doublequote = True
    return found
