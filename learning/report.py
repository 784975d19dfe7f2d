"""The morning report: what happened and why, as Markdown for a channel and as one page that needs nothing else."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import Any, Literal

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from core.durations import say_duration
from core.exams import Exam, Exams
from core.gaps import Gaps, Topic
from learning import charts
from learning.permission import EVERYONE
from learning.runs import Run, RunPair, Runs, State

FOLDER = Path(__file__).parent / "templates"
LANGUAGES: tuple[Literal["en", "ko"], ...] = ("en", "ko")
BEST_EXAMPLES, WORST_EXAMPLES = 4, 2
CELL_CHARACTERS = 400
MOST_TICKETS = 20
MOST_FAILED = 10
# Topics that are read, and of those the ones that are shown.
MOST_TOPICS, MOST_GAPS = 10_000, 20
# What of the gate's numbers is a share, a count, or a probability.
SHARE_CHECKS = ("answers", "slice")
CHANGE_CHECKS = ("groundedness",)
COUNT_CHECKS = ("decisive_pairs", "tally")


def load_texts(language: str) -> dict[str, Any]:
    """Every word of the report in one language."""
    return json.loads((FOLDER / f"report.{language}.json").read_text(encoding="utf-8"))


async def write_reports(
    runs: Runs, gaps: Gaps, exams: Exams, run: Run, *, state: State, reason: str | None, error: str | None
) -> None:
    """Render a night in every language and store it; gaps and golden questions are told in one report."""
    pairs = await runs.find_pairs(run.id)
    if run.audience != EVERYONE:
        run, pairs = leave_out_words(run), []
    days = await runs.count_votes_by_day(run.window_to)
    reported_until = await runs.get_reported_until(run)
    topics = await gaps.find_topics_between(reported_until, run.window_to, limit=MOST_TOPICS)
    rounds = await exams.find_latest(limit=2)
    last_report_at = await runs.find_last_report_at(run)
    if rounds and last_report_at and rounds[0].asked_at < last_report_at:
        rounds = []
    facts = build_facts(run, pairs, days, topics, rounds, state=state, reason=reason, error=error)
    for language in LANGUAGES:
        markdown, html = render_markdown(facts, language), render_html(facts, language)
        await runs.store_report(run.id, language, markdown=markdown, html=html)


def leave_out_words(run: Run) -> Run:
    """A night of an audience in numbers: its questions and answers are not for everyone who reads reports."""
    evaluation = dict(run.evaluation or {})
    for part in ("answers", "disliked"):
        if evaluation.get(part):
            evaluation[part] = {**evaluation[part], "examples": []}
    return replace(run, tickets=[], evaluation=evaluation or None)


def build_facts(
    run: Run,
    pairs: Sequence[RunPair],
    days: Sequence[Mapping[str, Any]],
    topics: Sequence[Topic],
    exams: Sequence[Exam],
    *,
    state: State,
    reason: str | None,
    error: str | None,
) -> dict[str, Any]:
    """All that a report says, without words: the same facts make every language and both forms."""
    evaluation = run.evaluation or {}
    fates = run.counts.get("fates", {})
    return {
        "run": asdict(run),
        "state": state,
        "reason": reason,
        "error": error,
        "headline": choose_headline(state, reason),
        "counts": run.counts,
        "fates": [_read_fate(name, count) for name, count in fates.items()],
        "fates_total": sum(fates.values()),
        "preference": evaluation.get("preference"),
        "answers": evaluation.get("answers"),
        "judged": count_judged(evaluation),
        "training": evaluation.get("training"),
        "gate": run.gate,
        "why": (run.gate or {}).get("facts", {}),
        "proof": run.proof,
        "examples": choose_examples(evaluation.get("answers"), pairs),
        "tickets": run.tickets[:MOST_TICKETS],
        "more_tickets": max(0, len(run.tickets) - MOST_TICKETS),
        "gaps": list(topics[:MOST_GAPS]),
        "more_gaps": max(0, len(topics) - MOST_GAPS),
        "golden": compare_exams(exams),
        "days": list(days),
        "seconds": run.seconds,
        "total_seconds": sum(run.seconds.values()),
    }


def compare_exams(exams: Sequence[Exam]) -> dict[str, Any] | None:
    """The latest round of golden questions beside the one before, newest first; None where there was none."""
    if not exams:
        return None
    latest, *earlier = exams
    cells = next(iter(latest.cells.values()), {})
    return {
        "adapter": latest.adapter,
        "asked": latest.count(*cells),
        "languages": list(latest.cells),
        "rows": [
            {
                "cell": cell,
                "counts": [counts.get(cell, 0) for counts in latest.cells.values()],
                "all": latest.count(cell),
                "before": earlier[0].count(cell) if earlier else None,
            }
            for cell in cells
        ],
        "failed": latest.failed[:MOST_FAILED],
        "more_failed": max(0, len(latest.failed) - MOST_FAILED),
    }


def count_judged(evaluation: Mapping[str, Any]) -> dict[str, Any] | None:
    """How the answers written again were judged, and what the judge cost; None where none were."""
    parts = [evaluation[name] for name in ("answers", "disliked") if evaluation.get(name)]
    verdicts = [example["won"] for part in parts for example in part.get("examples", [])]
    if not verdicts:
        return None
    costs = [part["judge"] for part in parts]
    return {
        "won": verdicts.count(True),
        "lost": verdicts.count(False),
        "tied": verdicts.count(None),
        "tokens": sum(cost["prompt_tokens"] + cost["completion_tokens"] for cost in costs),
        "seconds": round(sum(cost["seconds"] for cost in costs)),
    }


def choose_headline(state: State, reason: str | None) -> str:
    """Which of the catalogue's headlines fits."""
    if state == "done":
        return {"better": "promoted", "awaits_approval": "awaits_approval"}.get(reason or "", "abstained")
    return "paused" if reason == "paused" else state


def choose_examples(answers: Mapping[str, Any] | None, pairs: Sequence[RunPair]) -> list[dict[str, Any]]:
    """Before and after, with the votes behind: the largest improvements and the largest losses, none hidden."""
    known = {pair.sha256: pair for pair in pairs}
    found = [example for example in (answers or {}).get("examples", []) if example["sha256"] in known]
    found.sort(key=lambda example: example["live"]["f1"] - example["candidate"]["f1"])
    shown = found if len(found) <= BEST_EXAMPLES + WORST_EXAMPLES else found[:BEST_EXAMPLES] + found[-WORST_EXAMPLES:]
    return [
        {
            **example,
            "question": known[example["sha256"]].question,
            "voters": len(known[example["sha256"]].voters),
            "origin": known[example["sha256"]].origin,
            "gain": example["candidate"]["f1"] - example["live"]["f1"],
        }
        for example in shown
    ]


def tell_reason(facts: Mapping[str, Any], texts: Mapping[str, Any]) -> str:
    """Why the night ended as it did, in words and with the gate's numbers; nothing for a reason without words."""
    why = facts["why"]
    named = ", ".join(label_check(name, texts) for name in why.get("named", []))
    numbers = {"wins": 0, "losses": 0, "used": 0} | {key: why[key] for key in why if key != "named"}
    return texts["reasons"].get(facts["reason"], "").format(named=named, **numbers)


def label_check(name: str, texts: Mapping[str, Any]) -> str:
    """What a check is about: `slice:language:ko` and `tally:secrets` in the report's own words."""
    kind, _, of = name.partition(":")
    if kind == "tally":
        return texts["tallies"].get(of, of)
    if kind == "slice":
        what, _, which = of.partition(":")
        shown = texts["languages"].get(which, which) if what == "language" else which
        return f"{texts['slice_kinds'].get(what, what)} {shown}"
    return texts["checks"].get(name, name)


def describe_check(name: str, texts: Mapping[str, Any]) -> str:
    """The line of a check in the gate's table."""
    kind, _, of = name.partition(":")
    return texts["checks"][kind].format(name=label_check(name, texts)) if of else texts["checks"][name]


def render_markdown(facts: Mapping[str, Any], language: str) -> str:
    """The report for a chat channel."""
    texts = load_texts(language)
    page = _environment(language, autoescape=False).get_template("report.md")
    return page.render(facts, t=texts, reason_text=tell_reason(facts, texts)).strip() + "\n"


def render_html(facts: Mapping[str, Any], language: str) -> str:
    """The report as one page: styles and plots inside, no request to anywhere, people's text escaped."""
    texts = load_texts(language)
    plots = {name: Markup(plot) for name, plot in _draw(facts, texts).items()}
    words = {"reason_text": tell_reason(facts, texts), "language": language}
    page = _environment(language, autoescape=True).get_template("report.html")
    return page.render(facts, t=texts, plots=plots, **words)


def _draw(facts: Mapping[str, Any], texts: Mapping[str, Any]) -> dict[str, str]:
    preference = facts["preference"]
    models = preference["models"] if preference else {}
    bars = [
        {"label": texts["models"][name], "share": one["accuracy"], "low": one["low"], "high": one["high"], "kind": name}
        for name, one in models.items()
    ]
    curve = [point["loss"] for point in (facts["training"] or {}).get("curve") or []]
    return {
        "accuracy": charts.draw_shares(bars) if bars else "",
        "gains": charts.draw_histogram(preference["gains"]) if preference else "",
        "days": charts.draw_days(facts["days"]),
        "curve": charts.draw_curve(curve),
        "seconds": charts.draw_seconds(
            [(label, facts["seconds"][stage]) for stage, label in texts["stages"].items() if stage in facts["seconds"]]
        ),
    }


def _read_fate(name: str, count: int) -> dict[str, Any]:
    state, _, reason = name.partition(":")
    return {"state": state, "reason": reason or None, "count": count}


def _environment(language: str, *, autoescape: bool) -> Environment:
    environment = Environment(
        loader=FileSystemLoader(FOLDER),
        autoescape=autoescape,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    duration = partial(say_duration, language="ko" if language == "ko" else "en")
    environment.filters |= {"cell": _cell, "check": _format_check, "clip": _clip, "describe": describe_check}
    environment.filters["duration"] = duration
    return environment


def _clip(text: str) -> str:
    return text if len(text) <= CELL_CHARACTERS else text[: CELL_CHARACTERS - 1] + "…"


def _cell(text: str) -> str:
    """Text that stays inside one Markdown table cell or list line and starts no mark-up of its own."""
    flat = " ".join(_clip(text).split())
    for sign in "\\`*_|<>[]":
        flat = flat.replace(sign, f"\\{sign}")
    return flat


def _format_check(value: float | None, name: str) -> str:
    kind = name.partition(":")[0]
    if value is None:
        text = "–"
    elif kind in COUNT_CHECKS:
        text = f"{value:.0f}"
    elif kind in CHANGE_CHECKS:
        text = f"{value * 100:+.1f} pp"
    elif kind in SHARE_CHECKS:
        text = f"{value:.0%}"
    elif kind == "odds":
        text = f"{value:.1f}" if value < 1000 else ">1000"
    else:
        text = "✓" if value else "✗"
    return text
