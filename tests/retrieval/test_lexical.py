"""Terms: stems, codes kept whole, Korean morphemes and bigrams."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from retrieval.lexical import MAX_TERM_CHARACTERS, find_terms


def test_english_is_stemmed_and_stop_words_are_left_out() -> None:
    assert find_terms("The employees are travelling") == ["employe", "travel"]


@pytest.mark.parametrize(
    ("text", "term"),
    [
        ("form HR-2024-07", "hr-2024-07"),
        ("40,000 won", "40000"),
        ("version 1.25", "1.25"),
        ("제3조에 따라", "제3"),
        ("연차 15일", "15일"),
        ("mail it@example.org", "it@example.org"),
        ("30GB disk", "30gb"),
    ],
)
def test_codes_and_numbers_are_kept_whole(text: str, term: str) -> None:
    assert any(found.startswith(term) for found in find_terms(text))


def test_a_code_is_found_by_its_parts_too() -> None:
    assert set(find_terms("HR-2024-07")) == {"hr-2024-07", "hr", "2024", "07"}


def test_a_possessive_is_its_noun() -> None:
    assert find_terms("employee's") == find_terms("employees'") == ["employe"]


def test_korean_gives_content_morphemes_and_bigrams() -> None:
    terms = find_terms("휴가를 신청했습니다")
    assert {"휴가", "신청", "가를"} <= set(terms)
    assert "를" not in terms


def test_particles_do_not_hide_a_korean_noun() -> None:
    assert "연차" in set(find_terms("연차는")) & set(find_terms("연차를")) & set(find_terms("유급연차"))


def test_mixed_text_gives_both() -> None:
    assert {"vpn", "접속", "방법"} <= set(find_terms("VPN 접속 방법"))


def test_a_term_has_a_longest_length() -> None:
    assert max(len(term) for term in find_terms("x" * 500 + " " + "가-" * 90)) <= MAX_TERM_CHARACTERS


def test_threads_find_the_same_terms() -> None:
    texts = [f"employees travelling {number} 휴가를 {number}일 신청했습니다" for number in range(40)]
    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(find_terms, texts)) == [find_terms(text) for text in texts]
