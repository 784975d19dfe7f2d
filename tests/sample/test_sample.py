"""The sample handbook and its golden questions keep their promises; see sample/README.md."""

import json
import re
from collections import Counter
from functools import cache
from html.parser import HTMLParser
from pathlib import Path

import pypdfium2
import pytest
from docx import Document

SAMPLE = Path(__file__).resolve().parents[2] / "sample"
HANDBOOK = SAMPLE / "handbook"
FORMATS = {".md", ".html", ".pdf", ".docx"}
DOCUMENTS = sorted(path for path in HANDBOOK.rglob("*") if path.suffix in FORMATS)
SOURCES = sorted((SAMPLE / "sources").rglob("*.md"))
GOLDEN = [json.loads(line) for line in (SAMPLE / "golden.jsonl").read_text(encoding="utf-8").splitlines()]
ANSWERABLE = [golden for golden in GOLDEN if not golden["unanswerable"]]
ENGLISH_WORDS_PER_PAGE = 300
HANGUL_PER_PAGE = 500  # syllables without spaces, digits and marks: a page of about 700 typed characters
HANDFUL = 5
KEYS = {"id", "language", "question", "answer", "accept", "sources", "section", "principals", "demo", "unanswerable"}


class TextOnly(HTMLParser):
    """Collects the text of a page, the title left out."""

    def __init__(self):
        super().__init__()
        self.parts, self.in_title = [], False

    def handle_starttag(self, tag, attrs):
        self.in_title = tag == "title"

    def handle_data(self, data):
        if not self.in_title:
            self.parts.append(data)


def html_text(path: Path) -> str:
    parser = TextOnly()
    parser.feed(path.read_text(encoding="utf-8"))
    return " ".join(parser.parts)


def docx_text(path: Path) -> str:
    document = Document(path)
    cells = [cell.text for table in document.tables for row in table.rows for cell in row.cells]
    return "\n".join([paragraph.text for paragraph in document.paragraphs] + cells)


def pdf_text(path: Path) -> str:
    with pypdfium2.PdfDocument(path) as pdf:
        return "\n".join(page.get_textpage().get_text_range() for page in pdf)


READERS = {".html": html_text, ".docx": docx_text, ".pdf": pdf_text}


@cache
def text_of(path: Path) -> str:
    """Extracted text in lower case, each run of white space as one space."""
    raw = READERS[path.suffix](path) if path.suffix in READERS else path.read_text(encoding="utf-8")
    return " ".join(raw.lower().split())


def without_page_frame(text: str) -> str:
    """The text without spaces, running heads and page numbers, which fall into the middle of sentences."""
    return re.sub(r"- \d+ -|orumnal tideworks handbook|오름날 타이드웍스 핸드북|\s", "", text)


def language_of(path: Path) -> str:
    return path.suffixes[-2].lstrip(".")


def holds(path: Path, words: str) -> bool:
    return words.lower() in text_of(path)


def groups_allowed(path: Path) -> list[str]:
    """Principals of the nearest `.access.json` above the document."""
    for folder in path.parents:
        if (folder / ".access.json").is_file():
            return json.loads((folder / ".access.json").read_text(encoding="utf-8"))["allow"]
    raise AssertionError(f"no .access.json above {path.name}")


def by_id(golden: dict) -> str:
    return golden["id"]


def test_handbook_has_forty_pages_with_half_in_each_language():
    english = sum(len(re.findall(r"[a-z]+", text_of(path))) for path in DOCUMENTS if language_of(path) == "en")
    korean = sum(len(re.findall("[가-힣]", text_of(path))) for path in DOCUMENTS if language_of(path) == "ko")
    pages = {"en": english / ENGLISH_WORDS_PER_PAGE, "ko": korean / HANGUL_PER_PAGE}
    assert min(pages.values()) >= 20, pages


def test_every_format_exists_in_both_languages():
    found = {(path.suffix, language_of(path)) for path in DOCUMENTS}
    assert found == {(suffix, language) for suffix in FORMATS for language in ("en", "ko")}


def test_sample_is_smaller_than_three_megabytes():
    assert sum(path.stat().st_size for path in SAMPLE.rglob("*") if path.is_file()) < 3 * 1024 * 1024


@pytest.mark.parametrize("group", ["people", "security"])
def test_restricted_folder_names_its_only_group(group):
    path = HANDBOOK / "restricted" / group / ".access.json"
    assert json.loads(path.read_text(encoding="utf-8")) == {"allow": [f"group:{group}"]}


def test_everything_else_is_open_to_everyone():
    public = [path for path in DOCUMENTS if "restricted" not in path.parts]
    assert {tuple(groups_allowed(path)) for path in public} == {("everyone",)}


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.name)
def test_built_document_holds_every_sentence_of_its_source(source):
    built = HANDBOOK / source.relative_to(SAMPLE / "sources").with_suffix("")
    text = without_page_frame(text_of(built))
    for line in source.read_text(encoding="utf-8").splitlines():
        for part in line.strip("#* ").split("|"):
            bare = re.sub(r"\s|^-+$", "", part.strip().lower())
            assert bare in text, f"{built.name} lacks {part.strip()!r}; run sample/build_documents.py"


def test_built_documents_all_have_a_source():
    built = {path.relative_to(HANDBOOK) for path in DOCUMENTS if path.suffix in (".pdf", ".docx")}
    assert built == {source.relative_to(SAMPLE / "sources").with_suffix("") for source in SOURCES}


def test_pdf_headings_are_set_larger_than_text():
    for path in (path for path in DOCUMENTS if path.suffix == ".pdf"):
        with pypdfium2.PdfDocument(path) as pdf:
            sizes = Counter(round(item.get_font_size(), 1) for item in pdf[0].get_objects([1]))
        assert max(sizes) > 1.5 * sizes.most_common(1)[0][0], (path.name, sizes)


def test_injection_stands_in_exactly_one_document():
    assert [path.name for path in DOCUMENTS if holds(path, "ignore all previous instructions")] == [
        "phishing-examples.en.html"
    ]


def test_superseded_version_says_so_first():
    assert "superseded" in text_of(HANDBOOK / "time-off/annual-leave-2023.en.md")[:60]


def test_golden_questions_number_half_and_half():
    assert Counter(golden["language"] for golden in GOLDEN) == {"en": 36, "ko": 36}
    assert len({golden["id"] for golden in GOLDEN}) == len({golden["question"] for golden in GOLDEN}) == 72


def test_golden_questions_cover_the_special_cases():
    restricted = [golden for golden in GOLDEN if golden["principals"] != ["everyone"]]
    unanswerable = Counter(golden["language"] for golden in GOLDEN if golden["unanswerable"])
    assert unanswerable == {"en": 3, "ko": 3}
    assert len(restricted) == 6
    assert [golden["language"] for golden in GOLDEN if golden.get("cross_language")] == ["ko", "ko", "ko"]


@pytest.mark.parametrize("golden", GOLDEN, ids=by_id)
def test_golden_question_is_well_formed(golden):
    assert golden.keys() - {"cross_language"} == KEYS
    assert golden["question"].strip() and golden["answer"].endswith(".")
    assert bool(golden["sources"]) == bool(golden["accept"]) == bool(golden["section"]) == (not golden["unanswerable"])
    hangul = re.search("[가-힣]", golden["question"]) is not None
    assert hangul == (golden["language"] == "ko")


@pytest.mark.parametrize("golden", ANSWERABLE, ids=by_id)
def test_golden_answer_would_be_accepted(golden):
    assert any(words.lower() in golden["answer"].lower() for words in golden["accept"])


@pytest.mark.parametrize("golden", ANSWERABLE, ids=by_id)
def test_accepted_words_stand_in_a_source(golden):
    sources = [HANDBOOK / name for name in golden["sources"]]
    assert all(path.is_file() for path in sources)
    found = [any(holds(path, words) for path in sources) for words in golden["accept"]]
    assert any(found) if golden.get("cross_language") else all(found)


@pytest.mark.parametrize("golden", ANSWERABLE, ids=by_id)
def test_accepted_words_are_rare(golden):
    for words in golden["accept"]:
        found = [path.name for path in DOCUMENTS if holds(path, words)]
        assert len(found) <= HANDFUL, f"{words!r} stands in {found}"


@pytest.mark.parametrize("golden", ANSWERABLE, ids=by_id)
def test_section_is_a_heading_of_the_first_source(golden):
    path = HANDBOOK / golden["sources"][0]
    source = SAMPLE / "sources" / f"{golden['sources'][0]}.md"
    text = (source if source.is_file() else path).read_text(encoding="utf-8")
    assert re.search(rf"(^#+ |<h2>){re.escape(golden['section'])}(</h2>)?$", text, re.MULTILINE)


@pytest.mark.parametrize("golden", ANSWERABLE, ids=by_id)
def test_asker_may_read_every_source(golden):
    for name in golden["sources"]:
        allowed = groups_allowed(HANDBOOK / name)
        assert set(allowed) & set(golden["principals"])
        assert ("everyone" in allowed) == (golden["principals"] == ["everyone"])


def test_demo_has_six_public_questions_per_language_over_all_formats():
    demo = [golden for golden in ANSWERABLE if golden["demo"]]
    assert Counter(golden["language"] for golden in demo) == {"en": 6, "ko": 6}
    first_sources = [Path(golden["sources"][0]) for golden in demo]
    assert {(path.suffix, language_of(path)) for path in first_sources} == {
        (suffix, language) for suffix in FORMATS for language in ("en", "ko")
    }
    assert all(language_of(path) == golden["language"] for path, golden in zip(first_sources, demo, strict=True))
    assert len(set(first_sources)) == 12
    assert all(golden["principals"] == ["everyone"] for golden in demo)
