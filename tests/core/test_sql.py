"""Named statements beside their module."""

from pathlib import Path

import pytest

from core.sql import load_queries


def test_statements_are_found_by_name(tmp_path: Path) -> None:
    (tmp_path / "shelf.sql").write_text(
        "-- What is stored.\n\n-- name: get\nSELECT 1\n\n-- name: put\nSELECT 2 -- two\n"
    )
    assert load_queries(str(tmp_path / "shelf.py")) == {"get": b"SELECT 1", "put": b"SELECT 2 -- two"}


def test_two_statements_of_one_name_are_refused(tmp_path: Path) -> None:
    (tmp_path / "shelf.sql").write_text("-- name: get\nSELECT 1\n-- name: get\nSELECT 2\n")
    with pytest.raises(ValueError, match=r"two statements of one name in shelf\.sql"):
        load_queries(str(tmp_path / "shelf.py"))
