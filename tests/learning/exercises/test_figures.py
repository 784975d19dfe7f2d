"""What documents amount to, what exercises cost, and how far two people agree, with numbers worked out by hand."""

from dataclasses import replace

import pytest

from core.database import Database
from learning.exercises.corpus import judge_amount, measure_corpus
from learning.exercises.ledger import Agreement, Prices, Spent, measure_agreement, write_bill
from learning.exercises.sections import read_sections
from tests.learning.exercises.library import add_document, fill
from tests.learning.exercises.making import count_words

SPENT = Spent(10, 16, 32, 9000, 1000, 1800.0, 2000.0, 5, 300.0)


async def test_a_corpus_is_counted_by_the_model_s_tokens(database: Database) -> None:
    await fill(database)
    await add_document(database, "우물", {"깊이": "우물은 구 미터 깊이입니다."})
    documents = await read_sections(database)
    corpus = await measure_corpus(database, documents, count_tokens=count_words, is_estimated=False)
    assert (corpus.documents, corpus.without_pages, corpus.duplicates) == (4, 4, 1)
    assert corpus.tokens == sum(count_words(one.text) for sections in documents.values() for one in sections)
    assert corpus.tokens_per_character["ko"] == round(4 / 15, 3)
    assert corpus.use == "retrieval"


@pytest.mark.parametrize(("tokens", "use"), [(9_999, "retrieval"), (65_000, "exercises"), (650_000_000, "pretraining")])
def test_ten_thousand_reports_allow_pretraining_and_one_allows_exercises(tokens: int, use: str) -> None:
    assert judge_amount(tokens) == use


async def test_what_stands_on_every_page_is_no_text_of_any(database: Database) -> None:
    for at in range(3):
        await add_document(database, f"Page {at}", {"": "Company handbook\n\n- 4 -", "Text": f"Text number {at}."})
    found = await read_sections(database)
    assert [one.text for sections in found.values() for one in sections] == [f"Text number {at}." for at in range(3)]


async def test_documents_are_chosen_by_words_of_their_title(database: Database) -> None:
    ids = await fill(database)
    assert list(await read_sections(database, words="WORDS")) == [ids["Words"]]
    assert await read_sections(database, source="elsewhere") == {}


def test_a_bill_adds_half_an_hour_of_machine_and_five_minutes_of_people() -> None:
    bill = write_bill(SPENT, Prices("EUR", machine_hour=2.0, reviewer_hour=60.0))
    assert (bill.machine, bill.reviewers, bill.each) == (1.0, 5.0, 0.6)
    assert (bill.tokens_each, bill.reviewer_minutes_each) == (1000.0, 0.5)


def test_what_has_no_price_is_in_no_sum() -> None:
    assert write_bill(SPENT, Prices(machine_hour=2.0)).each is None
    unseen = replace(SPENT, reviews=0, reviewer_seconds=0.0)
    assert write_bill(unseen, Prices(machine_hour=2.0)).each == 0.1
    assert write_bill(replace(SPENT, passed=0), Prices(machine_hour=2.0)).each is None


def test_agreement_beyond_chance() -> None:
    # Both accept 5, both reject 3, each of them once alone: 0.8 the same; by chance 0.6 * 0.6 + 0.4 * 0.4 = 0.52.
    pairs = [(True, True)] * 5 + [(False, False)] * 3 + [(True, False), (False, True)]
    agreement = measure_agreement(pairs)
    assert (agreement.items, agreement.same, round(agreement.kappa or 0, 4)) == (10, 0.8, 0.5833)
    assert measure_agreement([(True, True)]) == Agreement(1, 1.0, None)
    assert measure_agreement([]) == Agreement(0, None, None)
