"""Not found is an answer: it is said, the nearest documents are named, and the gap is filed without its asker."""

from dataclasses import replace
from datetime import date

from bot.phrases import say
from core.database import Database
from core.gaps import Gaps
from retrieval.query import Found
from retrieval.query_filters import Filters
from retrieval.query_words import Change
from tests.bot.assistant import LEAVE
from tests.bot.recorded import TRAVEL, ListSearch
from tests.bot.test_answer import KOREAN, QUESTION, tell


async def test_what_the_documents_do_not_hold_names_the_nearest_and_files_a_gap(database: Database) -> None:
    search = ListSearch(LEAVE, TRAVEL, replace(LEAVE, number=3, chunk_id=9))
    search.found = Found([], "", [], confidence=0.04, is_answerable=False)
    async with tell(database, search=search) as story:
        told = await story.ask()
        await story.ask("How many days of leave have employees, annual?")
        assert story.model.requests == []
    expected = say("not_found", "en", titles="Leave policy [1]; Travel policy [2]")
    assert (told.finished.mode, told.finished.text) == ("refused", expected)
    assert [source.number for source in told.finished.sources] == [1, 2]
    columns = await database.fetch_dicts(b"SELECT * FROM gaps ORDER BY id LIMIT 1")
    assert "user:ann" not in str(columns)
    assert (columns[0]["question"], columns[0]["nearest"]) == (QUESTION, ["Leave policy", "Travel policy"])


async def test_gaps_of_the_same_words_are_one_topic(database: Database) -> None:
    async with tell(database, search=ListSearch()) as story:
        for question in ("Parking for visitors?", "visitors: parking", KOREAN):
            await story.ask(question)
    topics = await Gaps(database).find_topics()
    assert [(topic.asked, topic.language) for topic in topics] == [(2, "en"), (1, "ko")]


async def test_the_person_sees_what_was_searched_now_and_later(database: Database) -> None:
    search = ListSearch(LEAVE)
    filters = Filters(date(2026, 3, 1), None, None, "")
    search.found = Found([], "How many vacation days?", [Change("vacatoin", "vacation")], filters)
    async with tell(database, search=search, answer="Employees have 23 days of annual leave. [1]") as story:
        told = await story.ask("How many vacatoin days?")
    notice = "Searched for “vacation” instead of “vacatoin”. Searched only documents changed since 2026-03-01."
    assert told.finished.notice == told.stored.search_notice == notice
    assert (told.stored.question, told.stored.standalone_question) == (
        "How many vacatoin days?",
        "How many vacation days?",
    )
