"""Training examples from open sets: split, cut, cited, and honestly refused."""

import json
from itertools import islice

import pytest

from core.prompt import REFUSALS
from learning.starter_examples import build_groups
from learning.starter_readings import (
    DataSetError,
    as_question,
    find_supporting,
    read_set,
    split_readings,
    split_sentences,
)


def write_set(folder, texts, queries):
    folder.mkdir(exist_ok=True)
    for name, rows in (("corpus", texts), ("queries", queries)):
        (folder / f"{name}.jsonl").write_text("\n".join(json.dumps(row) for row in rows))
    return folder


@pytest.fixture
def articles(tmp_path):
    """Twelve articles of three sentences; the second of each says in which year its bridge opened."""
    texts, queries = [], []
    for number in range(12):
        text = f"Town {number} lies on a river. Its bridge opened in {1800 + number}. Boats {number} pass below."
        texts.append({"id": f"t{number}", "title": f"Town {number}", "text": text})
        query = {"id": f"q{number}", "text": f"When did the bridge of town {number} open?"}
        queries.append(query | {"answers": [str(1800 + number)], "relevant_ids": [f"t{number}"]})
    return read_set(write_set(tmp_path / "towns", texts, queries))


def test_the_answer_is_the_sentence_that_holds_it(articles):
    assert articles[3].items[0].sentence == "Its bridge opened in 1803."


def test_held_out_articles_are_never_trained_on(articles):
    train, held_out = split_readings(articles, 0.25, seed=1)

    assert len(held_out) == 3
    assert not {reading.part for reading in train} & {reading.part for reading in held_out}
    assert split_readings(articles, 0.25, seed=1) == (train, held_out)


def test_every_answer_stands_in_the_passage_it_cites(articles):
    for group in islice(build_groups(articles, "towns", seed=3), 200):
        for branch in group.branches:
            if branch.passage:
                text, _, number = branch.answer.rpartition(" ")
                assert number == f"[{branch.passage}]"
                assert text in group.passages[branch.passage - 1].text


def test_a_refused_question_has_no_answer_in_any_passage(articles):
    refused = [
        (group, branch)
        for group in islice(build_groups(articles, "towns", seed=4, refusal_share=0.4), 200)
        for branch in group.branches
        if branch.passage is None
    ]

    assert refused
    for group, branch in refused:
        year = str(1800 + int(branch.question.split()[-2]))
        assert branch.answer == REFUSALS["en"]
        assert all(year not in passage.text for passage in group.passages)


def test_the_gold_passage_stands_anywhere(articles):
    cited = [b.passage for group in islice(build_groups(articles, "towns", seed=5), 300) for b in group.branches]

    assert {1, 2, 3, 4, 5} <= set(cited)


def test_the_same_seed_gives_the_same_groups(articles):
    first, again = (list(islice(build_groups(articles, "towns", seed=6), 20)) for _ in range(2))

    assert first == again


def test_a_boolean_question_is_answered_by_the_sentence_nearest_to_it(tmp_path):
    text = {"id": "a", "title": "", "text": "백록담은 한라산 꼭대기에 있다. 여름에는 비가 많이 온다."}
    query = {"id": "b", "text": "백록담은 한라산에 있다.", "answers": ["TRUE"], "relevant_ids": ["a"]}

    (reading,) = read_set(write_set(tmp_path / "bool", [text], [query]))

    assert reading.items[0].question == "백록담은 한라산에 있나요?"
    assert reading.items[0].sentence == "백록담은 한라산 꼭대기에 있다."


@pytest.mark.parametrize(
    ("statement", "question"),
    [
        ("고래는 포유류이다.", "고래는 포유류인가요?"),
        ("새는 하늘을 난다.", "새는 하늘을 나나요?"),
        ("소는 풀을 먹는다.", "소는 풀을 먹나요?"),
        ("배는 항구에 닿았다.", "배는 항구에 닿았나요?"),
        ("산이 높다.", "산이 높다, 맞나요?"),
        ("산이 높은가요?", "산이 높은가요?"),
    ],
)
def test_a_korean_statement_becomes_a_question(statement, question):
    assert as_question(statement) == question


def test_sentences_end_at_stops_but_not_at_abbreviations():
    text = "Dr. Kim arrived at 3.5 km. She left\nearly. 그는 갔다. 비가 온다."

    assert split_sentences(text) == ["Dr. Kim arrived at 3.5 km.", "She left early.", "그는 갔다.", "비가 온다."]


def test_support_is_the_share_of_content_words_covered():
    place, covered = find_supporting("Which bridge opened first?", ["A road closed.", "The bridge opened late."])

    assert (place, covered) == (1, 2 / 3)


def test_a_missing_folder_is_advice(tmp_path):
    with pytest.raises(DataSetError, match=r"corpus\.jsonl.*got none"):
        read_set(tmp_path / "nowhere")
