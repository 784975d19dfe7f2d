"""Synonyms: which words of a question have them, what they are worth, and that they open no door."""

import json
from pathlib import Path

import pytest

from core.database import Database
from core.records import Passage
from retrieval.embedding import Embedder
from retrieval.ingest import ingest
from retrieval.query import Finder
from retrieval.search import Search
from retrieval.synonyms import MOST_EXPANSIONS, WEIGHT, Synonyms, reword
from tests.retrieval.conftest import Write
from tests.retrieval.made_documents import find_rarity

SYNONYMS = Synonyms([["PTO", "paid leave", "연차"], ["IT", "information technology"], ["육아 휴직", "parental leave"]])


def find(text: str) -> list[tuple[str, list[str]]]:
    return [(one.typed.text, [other.text for other in one.alternatives]) for one in SYNONYMS.find(text)]


@pytest.mark.parametrize(
    ("question", "found"),
    [
        ("How many PTO days?", [("PTO", ["paid leave", "연차"])]),
        ("how is my pto's rest paid", [("pto", ["paid leave", "연차"])]),
        ("Paid leaves, please", [("Paid leaves", ["PTO", "연차"])]),
        ("연차는 며칠인가요?", [("연차", ["PTO", "paid leave"])]),
        ("육아휴직을 쓰려면?", [("육아휴직", ["parental leave"])]),
        ("Is leave paid?", []),
        ("Can I have it?", []),
        # `IT` is a stop word of the index, so that it can be asked by and not for.
        ("Who leads IT?", [("IT", ["information technology"])]),
        ("information technology", [("information technology", [])]),
        ("", []),
    ],
)
def test_words_of_a_group_are_found_whatever_their_form(question: str, found: list[tuple[str, list[str]]]) -> None:
    assert find(question) == found


def test_a_longer_word_goes_before_a_shorter_one() -> None:
    synonyms = Synonyms([["leave", "absence"], ["leave of absence", "sabbatical"]])
    assert [one.typed.text for one in synonyms.find("a leave of absence, no leave")] == ["leave of absence", "leave"]


def test_a_page_of_words_is_bounded() -> None:
    assert len(SYNONYMS.find("PTO " * 2000)) == MOST_EXPANSIONS


def test_a_question_is_reworded_only_by_what_passages_hold() -> None:
    question = "How many PTO days do IT people get?"
    expansions = SYNONYMS.find(question)
    assert reword(question, expansions, [{"paid", "leav"}]) == "How many paid leave days do IT people get?"
    assert reword(question, expansions, [{"paid"}, {"leav"}]) == question
    assert reword(question, expansions, [{"pto", "paid", "leav"}]) == question


async def search(database: Database, embedder: Embedder, question: str, synonyms: Synonyms) -> list[Passage]:
    return await Search(database, embedder, synonyms=synonyms).search(question, ["everyone"], side="lexical")


async def test_a_synonym_is_worth_its_share_worked_out_by_hand(
    database: Database, embedder: Embedder, folder: Path, write: Write
) -> None:
    # Of two terms each with the title: `pto` is in one of three, `vacat` in one of three.
    write("alpha.txt", "pto")
    write("beta.txt", "vacation")
    write("gamma.txt", "coffee")
    await ingest(database, embedder, [folder])
    found = await search(database, embedder, "PTO", Synonyms([["PTO", "vacation"]]))
    whole = find_rarity(1, 3)
    assert [passage.path for passage in found] == ["alpha.txt", "beta.txt"]
    assert [passage.lexical_score for passage in found] == pytest.approx([whole, WEIGHT * whole], rel=1e-9)


async def test_a_rare_synonym_is_no_more_than_the_common_word_that_was_typed(
    database: Database, embedder: Embedder, folder: Path, write: Write
) -> None:
    for name in ("alpha", "beta", "gamma", "delta"):
        write(f"{name}.txt", "leave")
    write("omega.txt", "furlough")
    await ingest(database, embedder, [folder])
    found = await search(database, embedder, "leave", Synonyms([["leave", "furlough"]]))
    whole = find_rarity(4, 5)
    assert {passage.path: passage.lexical_score for passage in found}["omega.txt"] == pytest.approx(WEIGHT * whole)


async def test_a_chunk_with_both_words_is_not_twice_as_good(
    database: Database, embedder: Embedder, folder: Path, write: Write
) -> None:
    write("alpha.txt", "pto vacation")
    write("beta.txt", "coffee machine")
    await ingest(database, embedder, [folder])
    plain = await search(database, embedder, "PTO", Synonyms())
    found = await search(database, embedder, "PTO", Synonyms([["PTO", "vacation"]]))
    assert found[0].lexical_score == pytest.approx(plain[0].lexical_score)


async def test_a_part_of_a_synonym_counts_for_nothing(
    database: Database, embedder: Embedder, folder: Path, write: Write
) -> None:
    write("report.txt", "The annual report.")
    write("leave.txt", "The annual leave.")
    await ingest(database, embedder, [folder])
    found = await search(database, embedder, "PTO", Synonyms([["PTO", "annual leave"]]))
    assert [passage.path for passage in found] == ["leave.txt"]


@pytest.mark.parametrize(
    ("question", "path"), [("육아휴직은 얼마나 되나요?", "parents.txt"), ("Who gets parental leave?", "ko.txt")]
)
async def test_a_question_finds_a_page_of_the_other_language(
    database: Database, embedder: Embedder, folder: Path, write: Write, question: str, path: str
) -> None:
    write("parents.txt", "Parental leave is 12 weeks.")
    write("ko.txt", "휴직하는 동안 육아 수당을 냅니다.")
    write("coffee.txt", "The coffee machine is cleaned on Mondays.")
    await ingest(database, embedder, [folder])
    plain = await search(database, embedder, question, Synonyms())
    found = await search(database, embedder, question, SYNONYMS)
    assert path in [passage.path for passage in found]
    assert len(found) > len(plain)


async def test_a_question_without_a_word_of_the_file_ranks_as_without_a_file(
    database: Database, embedder: Embedder, folder: Path, write: Write
) -> None:
    write("leave.txt", "Employees get 23 days of paid leave a year.")
    write("ko.txt", "육아휴직은 2년까지 쓸 수 있습니다.")
    write("coffee.txt", "The coffee machine of the leave office is cleaned on Mondays.")
    await ingest(database, embedder, [folder])
    without, within = Search(database, embedder), Search(database, embedder, synonyms=SYNONYMS)
    for question in ("Who may leave the coffee on for days?", "2년이 지나면?"):
        found = await without.search(question, ["everyone"])
        assert found and found == await within.search(question, ["everyone"])


async def test_a_synonym_opens_no_hidden_document(
    database: Database, embedder: Embedder, folder: Path, write: Write
) -> None:
    write("board/.access.json", json.dumps({"allow": ["group:board"]}))
    write("board/leave.txt", "Paid leave ends on Friday.")
    write("coffee.txt", "The coffee machine is cleaned on Mondays.")
    await ingest(database, embedder, [folder])
    assert await search(database, embedder, "PTO", SYNONYMS) == []


async def test_a_word_of_the_dictionary_is_not_taken_for_a_slip(
    database: Database, embedder: Embedder, folder: Path, write: Write
) -> None:
    write("vocation.txt", "A vocation is a calling, and a stipend goes with it.")
    write("leave.txt", "Paid leave is 23 days.")
    await ingest(database, embedder, [folder])
    synonyms = Synonyms([["vocatian", "paid leave"]])
    plain = await Finder(database, Search(database, embedder)).find("vocatian", ["everyone"], limit=1)
    finder = Finder(database, Search(database, embedder, synonyms=synonyms), synonyms=synonyms)
    found = await finder.find("vocatian", ["everyone"], limit=1)
    assert (plain.searched, found.searched) == ("vocation", "vocatian")


async def test_an_answer_in_the_synonyms_words_is_trusted_as_one_in_the_typed_words(
    database: Database, embedder: Embedder, folder: Path, write: Write
) -> None:
    write("leave.txt", "Employees get 23 days of paid leave a year.")
    for number in range(30):
        write(f"other{number}.txt", f"Machine {number} is cleaned on Mondays by room {number * 7}.")
    await ingest(database, embedder, [folder])
    finder = Finder(database, Search(database, embedder, synonyms=SYNONYMS), synonyms=SYNONYMS)
    short = await finder.find("How much PTO do employees get?", ["everyone"], limit=3)
    full = await finder.find("How much paid leave do employees get?", ["everyone"], limit=3)
    strange = await finder.find("How much PTO do enzymes metabolise?", ["everyone"], limit=3)
    assert short.passages[0].path == full.passages[0].path == "leave.txt"
    assert short.confidence and full.confidence and strange.confidence
    assert short.is_answerable and full.confidence > short.confidence > strange.confidence
