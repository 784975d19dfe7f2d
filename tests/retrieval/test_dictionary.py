"""The company's dictionary: what the file may hold, and what a mistake in it is told by."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from core.database import Database
from core.errors import SettingsError
from retrieval.dictionary import EMPTY, load_dictionary
from retrieval.embedding import Embedder
from retrieval.ingest import ingest
from retrieval.lexical import find_content_terms, keep_whole
from retrieval.prepare import build_recipe, find_current_recipes
from tests.retrieval.conftest import Write

FILE = """# What we say
words = ["사내몰", "HR포털"]

[synonyms]
PTO = ["paid leave", "annual leave", "연차"]
"육아 휴직" = ["parental leave"]
"""


@pytest.fixture
def no_words_after() -> Iterator[None]:
    yield
    keep_whole([])


def load(tmp_path: Path, text: str):
    file = tmp_path / "words.toml"
    file.write_text(text, "utf-8")
    return load_dictionary(file)


def test_words_and_groups_are_read(tmp_path: Path) -> None:
    found = load(tmp_path, FILE)
    assert found.words == ("HR포털", "사내몰")
    assert found.groups == (("PTO", "paid leave", "annual leave", "연차"), ("육아 휴직", "parental leave"))


def test_no_file_is_an_empty_dictionary() -> None:
    assert load_dictionary(None) == EMPTY


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[synonyms]\nPTO = 'leave'", r"words.toml line 2: PTO: expected a list of words in brackets, got 'leave'"),
        ("[synonyms]\n\nPTO = []", r"line 3: PTO: expected at least one other word that means the same, got none"),
        ("[synonyms]\nPTO = ['pto']", r"line 2: PTO: expected at least one other word"),
        ("[synonyms]\nPTO = ['leave', 7]", r"line 2: PTO: expected a word or a few .* got 7"),
        ("[synonyms]\nPTO = [\n 'leave',\n '!!']", r"line 4: PTO: expected .* got '!!'"),
        ("[synonyms]\nIT = ['it']", r"line 2: IT: expected a word or a few that say something, .* got 'it'"),
        ("[synonyms]\nA = ['leave']\nB = ['Leaves']", r"line 3: B: 'Leaves' stands in the group 'A' already"),
        (
            "[synonyms]\n'육아 휴직' = ['parental leave']\nB = ['육아휴직']",
            r"line 3: B: '육아휴직' stands in the group",
        ),
        ("synonyms = 3", r"line 1: synonyms: expected a table"),
        ("words = ['Portal']", r"line 1: words: expected one word with Hangul, got 'Portal'"),
        ("\nwords = '사내몰'", r"line 2: words: expected a list of words in brackets"),
        ("other = 1", r"line 1: other: expected `words"),
        ("[synonyms]\n연차 = ['PTO']", r"expected TOML in UTF-8.*line 2.*need quotes"),
    ],
)
def test_a_mistake_is_told_with_its_line(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        load(tmp_path, text)


def test_every_mistake_is_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"(?s)line 1: words.*line 3: PTO"):
        load(tmp_path, "words = 3\n[synonyms]\nPTO = 4")


def test_a_file_that_is_not_there_is_a_setting_to_mend(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="SYNONYMS_FILE: cannot read"):
        load_dictionary(tmp_path / "nowhere.toml")


@pytest.mark.usefixtures("no_words_after")
def test_company_words_are_kept_whole_and_their_neighbours_are_not() -> None:
    before = find_content_terms("사내몰은 HR포털에 있다")
    keep_whole(["사내몰", "HR포털"])
    after = find_content_terms("사내몰은 HR포털에 있다")
    assert not {"사내몰", "hr포털"} & set(before)
    assert {"사내몰", "hr포털", "hr"} <= set(after)


@pytest.mark.usefixtures("no_words_after")
def test_company_words_are_part_of_the_recipe_in_whatever_order() -> None:
    plain = build_recipe(200)
    keep_whole(["사내몰", "나래웍스"])
    one = find_current_recipes(200)
    keep_whole(["나래웍스", "사내몰"])
    assert (find_current_recipes(200), plain in one) == (one, False)


@pytest.mark.usefixtures("no_words_after")
async def test_changed_company_words_read_documents_again(
    database: Database, embedder: Embedder, folder: Path, write: Write
) -> None:
    write("mall.txt", "사내몰은 매주 화요일에 엽니다.")
    await ingest(database, embedder, [folder])
    keep_whole(["사내몰"])
    changed = await ingest(database, embedder, [folder])
    again = await ingest(database, embedder, [folder])
    terms = await database.fetch_dicts(b"SELECT term FROM terms WHERE term = %(term)s", {"term": "사내몰"})
    assert (changed.updated, again.unchanged, len(terms)) == (1, 1, 1)
