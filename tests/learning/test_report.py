"""Reports: the same facts in two languages and two forms, whatever became of the night."""

import inspect
import json
import re
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any, get_args

import pytest

from core.database import Database
from core.exams import Exam, Exams, Failed
from core.gaps import Gaps, Topic
from core.prompt import Language
from learning import gate
from learning.exams.results import compare_all, measure_all
from learning.private_data import Kind
from learning.report import write_reports
from learning.report_facts import MOST_FAILED, MOST_GAPS, Gathered, build_facts
from learning.report_pages import FOLDER, LANGUAGES, load_texts, render_html, render_markdown
from learning.runs import Run, Runs
from tests.learning.exams.test_results import make_exam_answers
from tests.learning.log import log_answer
from tests.learning.making import NOON
from tests.learning.reporting import EXAM_FACTS, make_full_run, make_gathered


def make_run(**changes: Any) -> Run:
    values: dict[str, Any] = {
        "id": 1, "night": date(2026, 11, 20), "requested_by": "schedule", "window_from": NOON, "window_to": NOON,
        "stage": "report", "state": "running", "attempts": 1, "counts": {}, "tickets": [], "evaluation": None,
        "proof": None, "gate": None, "seconds": {}, "adapter": None, "reason": None, "error": None,
        "started_at": NOON, "finished_at": None,
    }  # fmt: skip
    return Run(**(values | changes))


def make_topic(question: str, asked: int = 1, nearest: tuple[str, ...] = ()) -> Topic:
    return Topic(question, asked, question, "en", list(nearest), NOON, NOON, [1])


def render(
    run: Run,
    language: Language,
    state: Any = "skipped",
    reason: str = "too_few_pairs",
    error: str | None = None,
    topics: Sequence[Topic] = (),
    exams: Sequence[Exam] = (),
):
    gathered = Gathered(topics=topics, exams=exams)
    facts = build_facts(run, gathered, state=state, reason=reason, error=error)
    return render_markdown(facts, language), render_html(facts, language)


def key_paths(value: object, path: str = "") -> set[str]:
    if not isinstance(value, dict):
        return {path}
    return {found for key, inner in value.items() for found in key_paths(inner, f"{path}.{key}")}


def test_both_catalogues_have_the_same_texts() -> None:
    assert key_paths(load_texts("en")) == key_paths(load_texts("ko"))


GATE_FACTS = {"wins": 61, "losses": 29, "used": 88, "named": ["slice:language:ko", "slice:team:sales", "tally:names"]}


def make_gate(reason: str) -> dict[str, Any]:
    names = ("served_proof", "decisive_pairs", "odds", "answers", "groundedness", *GATE_FACTS["named"])
    checks = [{"name": name, "value": 0.25, "limit": None, "passed": None} for name in names]
    return {"verdict": "refuse", "reason": reason, "checks": checks, "facts": GATE_FACTS, "significance": 0.05}


@pytest.mark.parametrize("language", ["en", "ko"])
def test_every_reason_of_the_gate_is_told_in_words_with_its_numbers(language: Language) -> None:
    texts = load_texts(language)
    source = inspect.getsource(gate._judge)
    reasons = set(re.findall(r'"(?:refuse|abstain|promote)", "(\w+)"', source))
    assert len(reasons) == 12
    for reason in reasons:
        for page in render(make_run(gate=make_gate(reason)), language, "refused", reason):
            assert texts["reasons"][reason].partition("{")[0] in page
            assert "{" not in page.partition("</style>")[2]


def test_a_refusal_names_what_pays_for_it() -> None:
    for page in render(make_run(gate=make_gate("slice_worse")), "en", "refused", "slice_worse"):
        assert "worse for some: Korean, team sales, names" in page
    for page in render(make_run(gate=make_gate("slice_worse")), "ko", "refused", "slice_worse"):
        assert "한국어, 팀 sales" in page


def test_every_tally_has_a_word_in_the_report() -> None:
    assert set(load_texts("en")["tallies"]) == set(gate.FEWER_ALLOWED)


@pytest.mark.parametrize("language", ["en", "ko"])
def test_a_night_without_votes_is_a_report(language: Language) -> None:
    markdown, html = render(make_run(), language)
    headline = json.loads((FOLDER / f"report.{language}.json").read_text())["headlines"]["skipped"]
    assert headline in markdown and headline in html


def test_a_failed_night_says_what_went_wrong() -> None:
    markdown, html = render(make_run(), "en", "failed", "failed", "no space left to write the adapter")
    assert "no space left" in markdown and "no space left" in html


def test_peoples_text_is_shown_and_never_run() -> None:
    ticket = {"question": "<script>x</script>", "correction": "| a | **b**", "missing": ["1"], "titles": ["T"]}
    markdown, html = render(make_run(tickets=[ticket]), "en")
    assert "<script>" not in html and "&lt;script&gt;" in html
    assert "\\<script\\>" in markdown and "\\*\\*b\\*\\*" in markdown


def test_a_page_asks_nothing_of_the_network() -> None:
    html = render(make_run(counts={"votes": 0, "voters": 0, "pairs": 0, "trained": 0, "held_out": 0}), "en")[1]
    assert "http" not in html.replace('xmlns="http://www.w3.org/2000/svg"', "") and "<script" not in html


@pytest.mark.parametrize("language", ["en", "ko"])
def test_what_the_documents_do_not_hold_is_told_by_topic_with_its_count(language: Language) -> None:
    texts = load_texts(language)
    for page in render(make_run(), language, topics=[make_topic("Parking for visitors?", 17, ("Site map", "Guests"))]):
        assert texts["sections"]["gaps"] in page and texts["gaps_note"] in page
        assert "Parking for visitors?" in page and texts["asked"].format(count=17) in page
        assert f"{texts['nearest']}: Site map, Guests" in page


def test_a_night_without_gaps_has_no_word_of_them() -> None:
    for page in render(make_run(), "en"):
        assert load_texts("en")["sections"]["gaps"] not in page


def test_more_gaps_than_are_shown_are_counted() -> None:
    topics = [make_topic(f"Question {n}?") for n in range(MOST_GAPS + 3)]
    for page in render(make_run(), "en", topics=topics):
        assert page.count("Question ") == MOST_GAPS and "and 3 more" in page


def test_the_question_of_a_gap_is_shown_and_never_run() -> None:
    markdown, html = render(make_run(), "en", topics=[make_topic("<b>a</b> | [x](y)", 1, ("<i>",))])
    assert "<b>" not in html and "&lt;b&gt;" in html and "<i>" not in html
    assert "\\<b\\>a\\</b\\> \\| \\[x\\](y)" in markdown


async def file_gap(database: Database, question: str, *, days_before_noon: float) -> None:
    answer_id = await log_answer(database, question, [], "I found nothing.", mode="refused")
    await Gaps(database).file(answer_id, question, "en", nearest=[])
    moment = {"id": answer_id, "at": NOON - timedelta(days=days_before_noon)}
    await database.execute(b"UPDATE gaps SET filed_at = %(at)s WHERE interaction_id = %(id)s", moment)


async def report_night(database: Database, *, days_before_noon: float = 0) -> str:
    """The English Markdown of a night whose window ends then."""
    runs = Runs(database)
    run = await runs.begin(
        night=NOON.date(),
        requested_by="user:ann",
        window_from=NOON - timedelta(days=90),
        window_to=NOON - timedelta(days=days_before_noon),
    )
    assert run
    for _ in range(2):  # a night that a crash left writes its report again
        await write_reports(database, run, state="skipped", reason="too_few_pairs", error=None)
    return (await runs.get_report(run.id, "en")).markdown


async def test_a_gap_is_told_in_the_first_report_after_it_and_in_no_other(database: Database) -> None:
    asked = {"Too old?": 100, "First?": 1.5, "Second?": 0.5, "Another?": 0.4, "Later?": -1}
    for question, age in asked.items():
        await file_gap(database, question, days_before_noon=age)
    reports = [await report_night(database, days_before_noon=age) for age in (1, 0, 0)]
    told = [[question for question in asked if question in report] for report in reports]
    assert told == [["First?"], ["Second?", "Another?"], []]


def make_exam(*, right: int, wrong: int, adapter: str | None = None) -> Exam:
    cells = {"en": {"found_right": right, "found_wrong": wrong}, "ko": {"found_right": 1, "found_wrong": 0}}
    failed: list[Failed] = [{"id": str(n), "question": f"Wrong {n}?", "cell": "found_wrong"} for n in range(wrong)]
    return Exam(1, NOON, "user:ann", adapter, cells, failed)


@pytest.mark.parametrize("language", ["en", "ko"])
def test_golden_questions_are_told_beside_the_round_before(language: Language) -> None:
    texts = load_texts(language)
    exams = [make_exam(right=7, wrong=2, adapter="night-2"), make_exam(right=5, wrong=4)]
    markdown, html = render(make_run(), language, exams=exams)
    row = texts["cells"]["found_right"]
    assert f"| {row} | 7 | 1 | 8 | 6 |" in markdown
    assert f"<td>{row}</td>" in html and '<td class="number">8</td><td class="number">6</td>' in html
    for page in (markdown, html):
        assert texts["golden_line"].format(count=10, adapter="night-2") in page
        assert f"{texts['cells']['found_wrong']}: Wrong 1?" in page


def test_a_first_round_has_nothing_before_it_and_names_some_of_many_failures() -> None:
    markdown, html = render(make_run(), "en", exams=[make_exam(right=0, wrong=MOST_FAILED + 3)])
    assert f"| 0 | 1 | 1 | {chr(8211)} |" in markdown
    for page in (markdown, html):
        assert page.count("Wrong ") == MOST_FAILED and "and 3 more" in page and "base model" in page


async def test_a_round_is_told_once(database: Database) -> None:
    exams = Exams(database)
    await exams.record(by="user:ann", adapter=None, cells={"en": {"found_right": 3}}, failed=[])
    told = [load_texts("en")["sections"]["golden"] in await report_night(database) for _ in range(2)]
    assert told == [True, False]


@pytest.mark.parametrize("language", ["en", "ko"])
def test_an_exam_is_told_with_its_tables_and_plots(language: Language) -> None:
    texts = load_texts(language)
    facts = build_facts(make_run(), make_gathered(), state="skipped", reason="too_few_pairs", error=None)
    markdown, html = render_markdown(facts, language), render_html(facts, language)
    assert "| RAG | 100.0 (" in markdown
    assert html.count('class="comparison"') == len(compare_all(make_exam_answers()))
    for page in (markdown, html):
        assert texts["exam_line"].format(items=2, golden=2, model="company") in page
        assert texts["exam_bits"].format(bits=8) in page
        assert all(one.measure in page for one in compare_all(make_exam_answers(), language))


async def test_a_run_of_an_exam_is_told_once(database: Database) -> None:
    results = measure_all(make_exam_answers())
    await Exams(database).record_run(by="user:ann", exam_id=None, facts=EXAM_FACTS, results=results)
    told = [load_texts("en")["sections"]["exam"] in await report_night(database) for _ in range(2)]
    assert told == [True, False]


def test_what_was_kept_out_is_told_in_words_for_every_reason_kind_and_flag() -> None:
    room = FOLDER.parent
    written = {name: (room / f"{name}.py").read_text() for name in ("curate", "caps", "split")}
    reasons = {
        found for text in written.values() for found in re.findall(r'"([a-z_]+)"(?=, (?:curated|dropped))', text)
    }
    reasons |= set(re.findall(r'pair, "([a-z_]+)"\)', "".join(written.values())))
    assert {"stale_document", "person_cap", "trained_before", "outvoted", "duplicate"} <= reasons
    kinds = dict.fromkeys(get_args(Kind), 2)
    run = make_run(counts={"votes": 1, "voters": 1, "pairs": 1, "trained": 1, "held_out": 0, "private": kinds,
                           "flags": dict.fromkeys(load_texts("en")["flags"], 3)})  # fmt: skip
    for language in LANGUAGES:
        texts = load_texts(language)
        assert reasons - set(texts["drops"]) == set()
        for form in render(run, language):
            assert all(
                texts["placeholders"][kind].replace("'", "") in form.replace("&#39;", "").replace("'", "")
                for kind in kinds
            )
            assert all(words in form for words in texts["flags"].values())


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_full_night_tells_everything_in_words(language: Language) -> None:
    texts = load_texts(language)
    run = make_full_run()
    facts = build_facts(run, make_gathered(), state="done", reason=run.reason, error=None)
    markdown, html = render_markdown(facts, language), render_html(facts, language)
    assert "{" not in markdown and "{" not in html.partition("</style>")[2]
    sections = set(texts["sections"]) - {"error"}
    assert [name for name in sections if f"<h2>{texts['sections'][name]}</h2>" not in html] == []
    assert html.count("<svg") == 12
    # Who owns the documents, most tickets first; the ledgers' sums; what an improvement cost.
    assert html.index("hr@example.com (2)") < html.index(f"{texts['no_owner']} (1)")
    assert "<b>512</b>" in html and "<b>400</b>" in html and texts["nothing_lost"] in html
    assert "USD 5.10" in html and "USD 5.10" in markdown
    assert "18,230" in html and "18,230" in markdown
    for form in (markdown, html):
        assert "34/40" in form and "35/40" in form and texts["experiment_broken"].format(count=1) in form


def test_a_duration_is_said_as_people_say_it() -> None:
    run = make_full_run(seconds={"train": 1263.0})
    facts = build_facts(run, make_gathered(), state="done", reason=run.reason, error=None)
    for language, words in (("en", "21 min 3 s"), ("ko", "21분 3초")):
        for form in (render_markdown(facts, language), render_html(facts, language)):
            assert words in form and "1263" not in form


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_short_message_names_no_place_and_says_what_to_do(language: Language) -> None:
    run = make_full_run(reason="awaits_approval")
    facts = build_facts(run, make_gathered(), state="done", reason="awaits_approval", error=None)
    short = render_markdown(facts, language).partition("\n## ")[0]
    texts = load_texts(language)
    assert texts["needs"]["approve"] in short and texts["reasons"]["awaits_approval"] in short
    assert "onsole" not in texts["reasons"]["awaits_approval"] and "콘솔" not in texts["reasons"]["awaits_approval"]
    assert len(short) < 1500
