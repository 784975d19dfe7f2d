"""What is liked and what is asked, and that likes are told apart from what they cost."""

from retrieval.embedding import Embedder
from retrieval.evaluate_dataset import Dataset, Entry, Query
from retrieval.evaluate_votes import evaluate_votes, join_entries, shorten_queries, split_queries

# Each is asked about by a word that stands in no text.
ASKED = {"leave": "zorbl", "travel": "quimp", "badges": "fnard", "lunch": "wexit", "parking": "dralb", "bikes": "pelko"}
CORPUS = [Entry(name, "", f"Rules about {name} of the company.") for name in ASKED]
QUERIES = [
    Query(f"{name}{number}", f"{verb} {word}?", {name: 1})
    for name, word in ASKED.items()
    for number, verb in enumerate(
        ("Which company decides about", "What costs the company to have", "Where in the company is")
    )
]


def test_documents_in_a_row_of_one_title_become_one() -> None:
    corpus = [Entry(str(number), "AAAB"[number], f"text {number}") for number in range(4)]
    queries = [Query("q", "?", {"1": 1}), Query("r", "?", {"3": 1})]
    joined = join_entries(Dataset("set", corpus, queries, 0, 0), 2)
    assert [(entry.id, entry.text) for entry in joined.corpus] == [
        ("0", "text 0\n\ntext 1"),
        ("2", "text 2"),
        ("3", "text 3"),
    ]
    assert [query.grades for query in joined.queries] == [{"0": 1}, {"3": 1}]


def test_a_long_question_is_asked_in_different_thirds_of_its_words() -> None:
    queries = [Query("q", "one two three four five six seven", {"1": 1}), Query("r", "too short", {"1": 1})]
    found = shorten_queries(Dataset("set", [], queries, 0, 0), 9).queries
    assert len({query.text for query in found}) == len({query.id for query in found}) == 18
    assert {len(query.text.split()) for query in found} == {2}
    assert all(query.grades == {"1": 1} for query in found)


def test_no_question_is_both_liked_and_asked() -> None:
    split = split_queries([*QUERIES, Query("both", "?", {"leave": 1, "travel": 1})], share=0.5, most=100, seed=1)
    liked = {query.id for own in split.liked.values() for query in own}
    unseen, elsewhere = ({query.id for query in part} for part in (split.unseen, split.elsewhere))
    assert (len(liked), len(unseen), len(elsewhere)) == (3, 6, 9)
    assert not liked & unseen and not (liked | unseen) & elsewhere
    assert {query.relevant_ids[0] for query in split.unseen} == set(split.liked)


async def test_likes_bring_unseen_questions_to_their_document(database_url: str) -> None:
    # By words alone: six made-up words mean nothing to the model.
    embedder = Embedder(languages=["ko"])
    dataset = Dataset("made", CORPUS, QUERIES, 0, 0)
    found = await evaluate_votes(database_url, embedder, dataset, counts=(0, 1), shares=(0.5, 0.5))
    embedder.close()
    part, again = found["shares"]
    before, after = part["rows"]
    assert (before["liked_mean"], after["liked_mean"], part["taught_documents"]) == (0, 1, 3)
    assert again == part
    assert after["unseen"] == {"ndcg_at_10": 1, "recall_at_1": 1}
    assert before["unseen"]["ndcg_at_10"] < 0.8
    assert set(after["elsewhere"]) == {"ndcg_at_10", "recall_at_1"}
