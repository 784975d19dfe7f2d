"""Questions made of texts: the same each time, without what gives the text away."""

from retrieval.known_items import KnownItem, Source, build_known_items

SENTENCE = "Employees on probation may take annual leave after the zyzzyva committee agrees in writing."


def test_the_rarest_words_are_left_out() -> None:
    common = [Source(number, "", SENTENCE.replace("zyzzyva ", "")) for number in range(2, 12)]
    found = build_known_items([Source(1, "", SENTENCE), *common])
    assert found[0].chunk_id == 1 and "zyzzyva" not in found[0].text
    assert set(found[0].text.split()) < set(SENTENCE.strip(".").split())


def test_korean_sentences_are_taken_too() -> None:
    found = build_known_items([Source(1, "", "직원은 매년 열다섯 날의 연차 휴가를 받으며 미리 신청해야 한다.")])
    assert [item.chunk_id for item in found] == [1]


def test_a_heading_of_one_chunk_is_a_question_and_one_of_several_is_not() -> None:
    own = [Source(number, f"Leave rules of office {number}", "Short.") for number in range(40)]
    shared = [Source(number, "Leave rules of offices", "Short.") for number in range(40)]
    assert KnownItem("Leave rules of office 5", 5) in build_known_items(own, seed=1) or build_known_items(own)
    assert build_known_items(shared) == []


def test_the_same_chunks_give_the_same_questions() -> None:
    sources = [Source(number, "", f"{SENTENCE} It was rule {number} of the very old book.") for number in range(20)]
    assert build_known_items(sources) == build_known_items(sources)
    assert build_known_items(sources) != build_known_items(sources, seed=1)
