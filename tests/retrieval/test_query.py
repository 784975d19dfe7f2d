"""A question is understood before it is searched, by nothing that the asker may not read."""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from core.database import Database
from retrieval.embedding import Embedder
from retrieval.ingest import ingest
from retrieval.query import Finder, Found
from retrieval.query_words import Change
from retrieval.search import Search
from tests.conftest import make_database
from tests.retrieval.conftest import Write

DOCUMENTS = {
    ".access.json": '{"allow": ["everyone"]}',
    "leave.md": "# Annual leave\n\nEmployees get 23 days of vacation. The team lead approves vacation.\n",
    "payroll.md": "# Payroll\n\nThe salary is paid on day 25 of each month by the accounting office.\n",
    "korean.md": "# 휴가 규정\n\n"
    "직원은 매년 연차 휴가를 15일 받습니다. 휴가 신청은 포털에서 합니다. 평가는 오후입니다.\n",
    "board/.access.json": '{"allow": ["group:board"], "owner": "user:kim"}',
    "board/secret.md": "# Project Zephyrine\n\nThe takeover of Zephyrine. 인수합병 계획은 비밀입니다.\n",
}


@pytest.fixture(scope="session")
def read_url(postgres: str, embedder: Embedder, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a database with three public documents and a secret one, read once: nothing here writes."""
    folder = tmp_path_factory.mktemp("documents")
    (folder / "board").mkdir()
    for path, text in DOCUMENTS.items():
        (folder / path).write_text(text)

    async def read(url: str) -> None:
        async with Database(url) as database:
            await ingest(database, embedder, [folder])

    with make_database(postgres) as url:
        asyncio.run(read(url))
        yield url


@pytest.fixture
async def finder(read_url: str, embedder: Embedder) -> AsyncIterator[Finder]:
    """Over those documents."""
    async with Database(read_url) as database:
        yield Finder(database, Search(database, embedder))


async def ask(finder: Finder, question: str, *principals: str) -> Found:
    return await finder.find(question, ["everyone", *principals], limit=3)


@pytest.mark.parametrize(
    ("question", "change"),
    [
        ("How many days of vacatoin?", Change("vacatoin", "vacation")),
        ("Who approves vaccation?", Change("vaccation", "vacation")),
        ("gbrk tlscjd", Change("gbrk", "휴가")),
        ("ㅍㅁㅊㅁ샤ㅐㅜ", Change("ㅍㅁㅊㅁ샤ㅐㅜ", "vacation")),
        ("휴갸는 며칠인가요?", Change("휴갸는", "휴가는")),
    ],
)
async def test_a_word_that_no_document_holds_is_replaced_by_a_near_one(
    finder: Finder, question: str, change: Change
) -> None:
    found = await ask(finder, question)
    assert change in found.changes
    assert change.searched in found.searched and found.passages


@pytest.mark.parametrize("question", ["How many days of vacation?", "휴가는 며칠인가요?", "maternity", "HR-2024-07"])
async def test_what_is_spelt_well_is_searched_as_it_stands(finder: Finder, question: str) -> None:
    found = await ask(finder, question)
    assert (found.searched, found.changes) == (question, [])


@pytest.mark.parametrize("typed", ["Zephyrinne", "takeovver", "비믿"])
async def test_a_hidden_document_lends_no_word(finder: Finder, typed: str) -> None:
    assert (await ask(finder, typed)).changes == []
    assert (await ask(finder, typed, "group:board")).changes != []


async def test_parts_of_a_question_share_the_passages(finder: Finder) -> None:
    found = await ask(finder, "How many days of vacation? When is the salary paid?")
    assert [(passage.number, passage.path) for passage in found.passages[:2]] == [(1, "leave.md"), (2, "payroll.md")]


async def test_a_filter_restricts_and_one_that_leaves_nothing_is_dropped(finder: Finder) -> None:
    mine = await ask(finder, "documents owned by Kim about vacation takeover", "group:board")
    nobodys = await ask(finder, "documents owned by Lee about vacation", "group:board")
    assert ([passage.path for passage in mine.passages], bool(mine.filters)) == (["board/secret.md"], True)
    assert (nobodys.passages[0].path, nobodys.filters) == ("leave.md", None)
    assert nobodys.dropped and nobodys.dropped.owner == "Lee"


@pytest.mark.parametrize(
    "question", ["2026년에 바뀐 휴가 규정", "2026년 1월 이후 개정된 휴가 규정", "vacation rules changed since 2026"]
)
async def test_the_words_of_a_filter_are_no_typing_errors(finder: Finder, question: str) -> None:
    found = await ask(finder, question)
    assert (found.changes, found.searched) == ([], question)
    assert found.filters and found.filters.changed_from == date(2026, 1, 1)


@pytest.mark.parametrize("question", ["병가는 며칠인가요?", "이후에는 어떻게 하나요?"])
async def test_a_common_korean_word_is_no_slip_for_another(finder: Finder, question: str) -> None:
    # The documents have 평가 and 오후.
    assert (await ask(finder, question)).changes == []


async def test_the_confidence_tells_a_plain_answer_from_nothing(finder: Finder) -> None:
    there = await ask(finder, "How many days of vacation do employees get?")
    strange = await ask(finder, "Which enzymes fold mitochondrial membranes during apoptosis?")
    assert there.is_answerable and not strange.is_answerable
    assert there.confidence and strange.confidence and there.confidence > strange.confidence


@pytest.mark.parametrize(
    "question",
    [
        *("", "\x00", "\ud800", "😀😀", "the of and", "'; DROP TABLE terms; --", "%s %(x)s", ".*[("),
        *("x" * 100_000, "gbrk " * 20_000, "휴갸 " * 30_000, "vacatoin? " * 10_000),
    ],
)
async def test_any_question_is_taken_in_bounded_time(finder: Finder, question: str) -> None:
    began = time.monotonic()
    assert len((await ask(finder, question)).passages) <= 3
    assert time.monotonic() - began < 20


async def test_a_date_filter_goes_by_the_document_and_not_by_the_day_of_reading(
    database: Database, embedder: Embedder, folder: Path, write: Write
) -> None:
    for name, month in (("old", 3), ("new", 6)):
        moment = datetime(2026, month, 1, tzinfo=UTC).timestamp()
        os.utime(write(f"{name}.md", f"# Leave\n\nThe {name} leave policy grants days of leave.\n"), (moment, moment))
    await ingest(database, embedder, [folder])
    finder = Finder(database, Search(database, embedder), today=date(2026, 11, 21))
    found = await ask(finder, "Which leave policy changed since May 2026?")
    older = await ask(finder, "2026년 4월 이전에 변경된 leave policy")
    assert [[passage.path for passage in one.passages] for one in (found, older)] == [["new.md"], ["old.md"]]
