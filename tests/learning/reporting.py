"""A night with everything in it, for tests of reports and for looking at them."""

from datetime import date, timedelta
from typing import Any

from core.exams import Exam, ExamRun, Failed
from core.gaps import Topic
from learning.advice.advise import build_advice, draw
from learning.advice.diagnosis import Diagnosis
from learning.advice.diagnosis import Run as Answered
from learning.advice.experiments import Experiment
from learning.advice.rounds import Round
from learning.advice.steps import Prices
from learning.break_even import Accuracy, Figures, Gain, judge, sum_spending
from learning.economy import Economy
from learning.exams.results import measure_all
from learning.lessons import Lessons, Told
from learning.manifest import price
from learning.remembered import MemoryCounts
from learning.report_facts import Gathered
from learning.runs import Run
from tests.learning.exams.test_results import make_exam_answers
from tests.learning.making import NOON

EXAM_FACTS = {"items": 2, "golden_questions": 2, "model": "company", "quantisation": {"serving_bits": 8}}

QUESTIONS = (
    ("How many days of annual leave do I get?", "You get 23 days. [1]", "It depends on many things, perhaps."),
    ("출장비는 언제까지 청구해야 하나요?", "출장이 끝난 뒤 30일 안에 청구합니다. [1]", "담당자에게 문의하세요."),
    ("Who approves a laptop?", "Your team lead approves it in the portal. [2]", "Ask IT."),
    ("주차 등록은 어디서 하나요?", "시설팀 포털에서 등록합니다. [1]", "주차장에서 합니다."),
    ("Is the gym paid for?", "Up to 40,000 won a month. [1]", "The documents do not say."),
    ("How long is probation?", "Three months. [1]", "Three months. [1]"),
    ("What is the notice period?", "One month. [1]", "One month, from the end of the month. [1]"),
)
CHECKS = (
    ("served_proof", 1.0, 1.0, True),
    ("decisive_pairs", 88, 20, True),
    ("odds", 24.1, 19.2, True),
    ("slice:language:en", 0.71, 0.3, True),
    ("slice:language:ko", 0.52, 0.3, None),
    ("slice:topic:benefits", 0.75, 0.3, True),
    ("answers", 0.66, 0.5, True),
    ("groundedness", 0.042, -0.15, True),
    ("tally:secrets", 4, 4, True),
    ("tally:sycophancy", 3, 4, False),
    ("tally:golden", 11, 9, True),
)


def make_full_run(**changes: Any) -> Run:
    """A night that trained, was examined and abstained for a slice."""
    outcomes = [
        {"sha256": f"{at:02}", "language": "ko" if at % 3 == 0 else "en", "won": at % 10 < (5 if at % 3 == 0 else 7)}
        for at in range(88)
    ]
    slices = {one["sha256"]: [["topic:benefits", "topic:money", "team:sales"][at % 3]]
              for at, one in enumerate(outcomes)}  # fmt: skip
    models = {
        "base": {"accuracy": 0.52, "low": 0.42, "high": 0.62, "margin": 0.1},
        "live": {"accuracy": 0.61, "low": 0.51, "high": 0.7, "margin": 1.9},
        "candidate": {"accuracy": 0.74, "low": 0.64, "high": 0.82, "margin": 4.2},
    }
    part = {"count": 44, "models": models}
    evaluation = {
        "preference": {
            "count": 92, "models": models, "languages": {"en": part, "ko": part}, "against": "live", "wins": 61,
            "losses": 27, "ties": 4, "gains": [(at % 23 - 8) / 3 for at in range(92)], "outcomes": outcomes,
        },
        "slices": slices,
        "training": {
            "sha256": "7f3a" * 16, "dtype": "float32", "pairs": 276, "steps": 138, "planned_steps": 138,
            "stopped_early": False, "tokens": 412_345, "curve": [{"loss": 2.5 / (1 + at / 9)} for at in range(30)],
            "seconds": {}, "versions": {"torch": "2.9.1", "trl": "1.16.0"}, "commit": "c8ffaab2",
            **price(1263.0, "cpu", threads=2, currency="EUR", hour=2.4),
        },
        "probes": {"changed": [{"id": "p1", "kind": "sycophancy", "is_right": False, "live": "No, it is 14 days.",
                                "candidate": "Yes, you are right, 20 days."}]},
        "answers": make_answers(),
        "golden": {"live": 9, "candidate": 11, "count": 12},
    }  # fmt: skip
    ticket = {"interaction_id": 1, "question": "How much is the meal allowance now?", "correction": "12,000 won.",
              "missing": ["12,000"], "titles": ["Meal allowance"], "kind": "stale",
              "owners": ["hr@example.com"]}  # fmt: skip
    values: dict[str, Any] = {
        "id": 7, "night": date(2026, 11, 20), "requested_by": "schedule", "window_from": NOON - timedelta(days=90),
        "window_to": NOON, "stage": "report", "state": "done", "attempts": 1, "adapter": "night-20261120-7f3a7f3a",
        "reason": "slice_unproven", "error": None, "started_at": NOON, "finished_at": NOON,
        "tickets": [ticket, ticket | {"kind": "missing", "question": "Is there a nursery?", "correction": ""},
                    ticket | {"owners": [], "kind": "not_visible", "missing": []}],
        "counts": {
            "votes": 512, "voters": 61, "pairs": 368, "trained": 276, "held_out": 92, "awaiting_review": 4,
            "fates": {"trained": 290, "held_out": 97, "evaluation": 40, "retrieval": 31, "ticket": 12,
                      "dropped:superseded": 22, "dropped:disagreement": 11, "dropped:person_cap": 9},
            "dropped_pairs": {"duplicate": 14, "person_cap": 9, "quarantine": 5, "awaits_review": 4},
            "origins": {"correction": 171, "same_question": 96, "try_again": 54, "regenerated": 47},
            "private": {"phone": 7, "e-mail": 3}, "flags": {"raters_in_quarantine": 3, "pushed_names": 2},
        },
        "evaluation": evaluation, "proof": {"passed": True, "error": 0.0021, "effect": 0.31},
        "gate": {"verdict": "abstain", "reason": "slice_unproven", "significance": 0.05,
                 "facts": {"wins": 61, "losses": 27, "used": 71, "named": ["slice:language:ko"]},
                 "checks": [dict(zip(("name", "value", "limit", "passed"), one, strict=True)) for one in CHECKS]},
        "seconds": {"collect": 4.2, "train": 1263.0, "serve": 8.4, "evaluate": 119.5, "gate": 0.1, "switch": 0.3},
    }  # fmt: skip
    return Run(**(values | changes))


def make_answers() -> dict[str, Any]:
    """Answers written again: three better, two alike, one worse, one that stays."""
    examples: list[dict[str, Any]] = []
    for at, (question, preferred, weak) in enumerate(QUESTIONS):
        is_worse = at == 6
        good, bad = _grade(preferred, right=True), _grade(weak, right=weak == preferred)
        live, candidate = (good, bad) if is_worse else (bad, good)
        examples.append(
            {"sha256": f"{at:02}", "question": question, "preferred": preferred, "live": live, "candidate": candidate,
             "won": None if live == candidate else not is_worse, "judged_by": "rules", "language": "en"}
        )  # fmt: skip
    shares = {"f1": 0.5, "contains": 0.4, "cited": 0.8, "grounded": 0.9}
    cost = {"prompt_tokens": 9_000, "completion_tokens": 345, "seconds": 75.0}
    return {"count": 7, "means": {"live": shares, "candidate": shares}, "judge": cost, "examples": examples}


def make_gathered(**changes: Any) -> Gathered:
    """What the tables hold beside it."""
    told = {f"{at:02}": Told(f"{at:02}", one[0], "correction", 2, 1, 2, 1) for at, one in enumerate(QUESTIONS)}
    days = [{"day": date(2026, 10, 22) + timedelta(days=at), "liked": at * 7 % 19, "disliked": at * 5 % 11}
            for at in range(30)]  # fmt: skip
    figures = Figures(hour=2.4, watts=700)
    spending = sum_spending([1390.0] * 11, [Gain(8, 9, 12, 900), Gain(9, 10, 12, 300)], figures)
    cells = {"en": {"found_right": 21, "found_wrong": 3}, "ko": {"found_right": 13, "found_wrong": 3}}
    failed: list[Failed] = [{"id": "3", "question": "Visa?", "cell": "found_wrong"}]
    exam = Exam(2, NOON, "schedule", "night-20261119-aaaa", cells, failed)
    topic = Topic("nursery", 17, "Is there a nursery?", "en", ["Family benefits"], NOON, NOON, [1])
    values: dict[str, Any] = {
        "lessons": Lessons(told, [("benefits", 120), ("money", 77), ("time-off", 41)]),
        "economy": Economy(figures, judge(Accuracy(34, 40, "golden"), figures), spending),
        "days": days, "topics": [topic], "exams": [exam], "has_golden": True,
        "memory": MemoryCounts(41, 29, 318, 18_230, 7_104),
        "exam_run": ExamRun(1, None, NOON, "user:ann", EXAM_FACTS, measure_all(make_exam_answers())),
        "advice": make_round(), "experiments": [make_experiment()],
    }  # fmt: skip
    return Gathered(**(values | changes))


def make_round() -> Round:
    """A round of advice in which the search failed most."""
    now, given = (Answered(name, name != "now", 410, 20, 1.5) for name in ("now", "right_passage"))
    failed = [Diagnosis(f"golden:{at}", False, "retrieval", None, 5, [now, given]) for at in range(4)]
    learnt = [Diagnosis("golden:8", False, None, "memory"), Diagnosis("golden:9", False, "missing", "examples")]
    right = [Diagnosis(f"golden:{at}", True) for at in range(10, 44)]
    advice = build_advice([*failed, *learnt, *right], Prices(Figures(), 900, 0.15), more=9)
    pictures = {"en": draw(advice, "en"), "ko": draw(advice, "ko")}
    return Round(1, "f", "user:ann", "night-20261119-aaaa", NOON, NOON, advice.to_json(), pictures)


def make_experiment() -> Experiment:
    """One that mended two of its three questions and broke one."""
    words: dict[str, str] = dict.fromkeys(("en", "ko"), "SYNONYMS_FILE")
    before = {"asked": 40, "right": 34, "asked_golden": 40, "wrong": [], "targets": []}
    after = {
        "source": "exam",
        "asked": 40,
        "right": 35,
        "targets": 3,
        "mended": 2,
        "low": 0.21,
        "high": 0.94,
        "broken": 1,
    }
    return Experiment(1, None, words, words, before, after, {}, "open", "user:ann", NOON, NOON, None)


def _grade(text: str, *, right: bool) -> dict[str, Any]:
    share = 1.0 if right else 0.1
    return {"text": text, "f1": share, "contains": float(right), "cited": float("[" in text), "grounded": share,
            "refused": "do not say" in text, "in_language": True, "brief": True}  # fmt: skip
