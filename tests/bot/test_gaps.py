"""Not found is an answer: it is said, the nearest documents are named, and the gap is filed without its asker."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from bot.phrases import say
from bot.searched import describe_search
from core.database import Database
from core.gaps import Gaps, Topic, join_near, name_topic
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


def make_topic(question: str, *answers: int) -> Topic:
    first, last = (datetime(2026, 3, 1, tzinfo=UTC) + timedelta(days=day) for day in (answers[0], answers[-1]))
    return Topic(name_topic(question), len(answers), question, "en", [question[:3]], first, last, list(answers))


def test_gaps_of_nearly_the_same_words_are_one_topic() -> None:
    asked = [
        make_topic("Is there parking for visitors?", 2, 5),
        make_topic("parking for visitors in Busan", 9),
        make_topic("How many sick leave days?", 3),
        make_topic("How many annual leave days?", 4),
        make_topic("주차장 방문객 이용", 6),
        make_topic("주차장은 방문객도 이용", 7),
    ]
    joined = join_near(asked)
    assert [one.answers for one in joined] == [[2, 5, 9], [6, 7], [4], [3]]
    assert (joined[0].question, joined[0].nearest, joined[0].asked) == ("parking for visitors in Busan", ["par"], 3)
    assert (joined[0].first_filed_at.day, joined[0].last_filed_at.day) == (3, 10)


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


def test_the_person_is_told_of_a_filter_that_left_nothing() -> None:
    found = Found([], "", [], dropped=Filters(None, date(2026, 3, 1), "Kim", "leave"))
    told = "Nothing about this in documents changed before 2026-03-01, owned by Kim, so all were searched."
    assert describe_search(found, "en") == told
    assert "2026-03-01 전 변경, 담당 Kim" in describe_search(found, "ko")
