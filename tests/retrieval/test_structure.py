"""Headings that the words announce."""

from hypothesis import given, settings
from hypothesis import strategies as st

from retrieval.formats.blocks import Block
from retrieval.structure import find_structure

RULES = """제1장 총칙
제1조(목적) 이 규정은 휴가를 정한다.
제2조(정의) ① "직원"이란 정규직을 말한다.
② 제1조에 따라 다음과 같이 정한다.
1. 연차
2. 병가
제2조의2(특례) 따로 정한다.
부칙
이 규정은 2026년부터 시행한다."""


def find(text: str) -> list[tuple[str, str]]:
    return [(block.kind, block.text) for block in find_structure([Block("paragraph", text)])]


def test_articles_become_headings_and_their_paragraphs_items() -> None:
    assert find(RULES) == [
        ("heading", "제1장 총칙"),
        ("heading", "제1조(목적)"),
        ("paragraph", "이 규정은 휴가를 정한다."),
        ("heading", "제2조(정의)"),
        ("item", '① "직원"이란 정규직을 말한다.'),
        ("item", "② 제1조에 따라 다음과 같이 정한다.\n1. 연차\n2. 병가"),
        ("heading", "제2조의2(특례)"),
        ("paragraph", "따로 정한다."),
        ("heading", "부칙"),
        ("paragraph", "이 규정은 2026년부터 시행한다."),
    ]


def test_chapters_stand_above_articles_and_below_the_formats_own_headings() -> None:
    levels = [block.level for block in find_structure([Block("paragraph", RULES)]) if block.kind == "heading"]
    assert levels[0] < levels[1] == levels[2] == levels[3] > levels[4] == levels[0] > 9


def test_what_refers_to_an_article_is_no_heading() -> None:
    for text in ("제3조에 따라 지급한다.", "제1장의 규정은 준용한다.", "Section 3 applies to all staff."):
        assert find(text) == [("paragraph", text)]


def test_a_table_of_contents_is_no_structure() -> None:
    text = "제1장 총칙 ........ 1\n제1조(목적) ······ 1\nChapter 2 Travel .... 9"
    assert find(text) == [("paragraph", text)]


def test_english_articles_become_headings() -> None:
    blocks = [Block("paragraph", "Chapter 2: Leave\nArticle 3. Annual leave"), Block("paragraph", "Section 4.1 Travel")]
    assert [(block.kind, block.text) for block in find_structure(blocks)] == [
        ("heading", "Chapter 2: Leave"),
        ("paragraph", "Article 3. Annual leave"),
        ("heading", "Section 4.1 Travel"),
    ]


def test_a_question_heads_its_answer() -> None:
    blocks = [
        Block("paragraph", "Q1. How many days?\nA1. 15 days.", page=2),
        Block("paragraph", "질문: 신청은 어디서?"),
        Block("paragraph", "답변: 인사 포털에서 합니다."),
    ]
    assert find_structure(blocks) == [
        Block("heading", "Q1. How many days?", 30, 2),
        Block("paragraph", "A1. 15 days.", 0, 2),
        Block("heading", "질문: 신청은 어디서?", 30),
        Block("paragraph", "답변: 인사 포털에서 합니다."),
    ]


def test_a_question_without_an_answer_stays_a_paragraph() -> None:
    assert find("Q. Who knows?") == [("paragraph", "Q. Who knows?")]


def test_entries_of_a_glossary_stay_whole() -> None:
    assert find("연차: 쉬는 날\nPay band: range of salary\nVPN - private network") == [
        ("item", "연차: 쉬는 날"),
        ("item", "Pay band: range of salary"),
        ("item", "VPN - private network"),
    ]


TEXTS = st.text("제1조장(목적) ①②Q.A:\n- ab가", max_size=60)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.builds(Block, st.sampled_from(["paragraph", "item", "row", "code"]), TEXTS), max_size=5))
def test_no_word_is_lost_or_moved(blocks: list[Block]) -> None:
    def words(of: list[Block]) -> str:
        return "".join(part for block in of for part in block.text.replace("- ", "").split())

    assert words(find_structure(blocks)) == words(blocks)
