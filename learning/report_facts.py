"""All that a report says, without words: the same facts make every language and every form. Pure."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from core.exams import Exam, ExamRun
from core.gaps import Topic
from learning.advice.experiments import Experiment
from learning.advice.rounds import Round
from learning.break_even import Figures, judge, sum_spending
from learning.economy import Economy
from learning.evaluate import wilson_interval
from learning.lessons import Lessons, choose_examples, count_changes
from learning.needs import find_needs
from learning.remembered import MemoryCounts
from learning.runs import Run, State

MOST_TICKETS = 20
MOST_FAILED = 10
MOST_GAPS = 20
MOST_PROBES = 6
# Of a night that is done, by its reason; every other abstained.
HEADLINES = {
    "better": "promoted",
    "trial_passed": "promoted",
    "awaits_approval": "awaits_approval",
    "on_trial": "on_trial",
}
# A slice of fewer decisive pairs says nothing in a plot.
LEAST_SLICE, MOST_SLICES = 3, 10


def _no_economy() -> Economy:
    figures = Figures()
    return Economy(figures, judge(None, figures), sum_spending([], [], figures))


@dataclass(frozen=True, slots=True)
class Gathered:
    """What is read from the tables beside the run itself.

    Attributes:
        days: votes of thirty days, one row a day.
        exams: rounds of golden questions that no report has told, and the one before; newest first.
        has_golden: whether golden questions were ever asked.
        exam_run: the latest `nightbake exam run`, where no report has told it.
        memory: of corrections in prompts, since the last report; learnt is by this night's adapter.
        advice: a round that no report has told; experiments: open ones, and those that ended since the last report.
    """

    lessons: Lessons = field(default_factory=Lessons)
    economy: Economy = field(default_factory=_no_economy)
    days: Sequence[Mapping[str, Any]] = ()
    topics: Sequence[Topic] = ()
    exams: Sequence[Exam] = ()
    has_golden: bool = False
    exam_run: ExamRun | None = None
    memory: MemoryCounts = field(default_factory=MemoryCounts)
    advice: Round | None = None
    experiments: Sequence[Experiment] = ()


def build_facts(
    run: Run, gathered: Gathered, *, state: State, reason: str | None, error: str | None, min_pairs: int = 0
) -> dict[str, Any]:
    """Everything of one night, ready to be rendered."""
    evaluation, counts, gate = run.evaluation or {}, run.counts, run.gate or {}
    economy, why = gathered.economy, gate.get("facts", {})
    rewritten = _list_rewritten(evaluation)
    return {
        "run": asdict(run),
        "state": state,
        "reason": reason,
        "error": error,
        "headline": choose_headline(state, reason),
        "counts": counts,
        **read_ledgers(counts),
        "preference": evaluation.get("preference"),
        "win_rates": measure_win_rates(evaluation),
        "answers": evaluation.get("answers"),
        "judged": count_judged(evaluation),
        "changes": count_changes(rewritten),
        "rewritten": len(rewritten),
        "probes": (evaluation.get("probes") or {}).get("changed", [])[:MOST_PROBES],
        "training": evaluation.get("training"),
        "gate": run.gate,
        "why": why,
        "proof": run.proof,
        "origins": counts.get("origins", {}),
        "learnt_topics": gathered.lessons.topics,
        "examples": choose_examples(evaluation.get("answers"), gathered.lessons.told),
        "owners": group_tickets(run.tickets[:MOST_TICKETS]),
        "more_tickets": max(0, len(run.tickets) - MOST_TICKETS),
        "gaps": list(gathered.topics[:MOST_GAPS]),
        "more_gaps": max(0, len(gathered.topics) - MOST_GAPS),
        "golden": compare_exams(gathered.exams),
        "exam_run": gathered.exam_run and {**gathered.exam_run.facts, **gathered.exam_run.results},
        "memory": asdict(gathered.memory),
        "advice": gathered.advice and gathered.advice.advice | {"pictures": gathered.advice.pictures},
        "experiments": [asdict(one) for one in gathered.experiments],
        "days": list(gathered.days),
        "seconds": run.seconds,
        "total_seconds": sum(run.seconds.values()),
        "break_even": asdict(economy.break_even),
        "figures": asdict(economy.figures) | {"wrong": economy.figures.wrong, "step": economy.figures.step},
        "spending": asdict(economy.spending) | {"days": economy.days},
        "needs": [
            asdict(need)
            for need in find_needs(
                reason=reason,
                counts=counts,
                why=why,
                min_pairs=min_pairs,
                tickets=len(run.tickets),
                gaps=len(gathered.topics),
                has_golden=gathered.has_golden,
                break_even=economy.break_even,
            )
        ],
    }


def choose_headline(state: State, reason: str | None) -> str:
    """Which of the catalogue's headlines fits."""
    if state == "done":
        return HEADLINES.get(reason or "", "abstained")
    return "paused" if reason == "paused" else state


def read_ledgers(counts: Mapping[str, Any]) -> dict[str, Any]:
    """What became of every vote and of every pair, each with its sum."""
    fates = counts.get("fates", {})
    dropped = counts.get("dropped_pairs", {})
    kept = {name: counts.get(name, 0) for name in ("trained", "held_out")}
    pairs = {**kept, **{f"dropped:{reason}": count for reason, count in dropped.items()}}
    return {
        "fates": [_read_fate(name, count) for name, count in fates.items()],
        "fates_total": sum(fates.values()),
        "pair_fates": [_read_fate(name, count) for name, count in pairs.items() if count],
        "pairs_total": sum(pairs.values()),
    }


def measure_win_rates(evaluation: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Won among decisive held-out pairs, with the 95 % interval: all of them, then slices, the largest first."""
    slices = evaluation.get("slices") or {}
    won: dict[str, list[bool]] = defaultdict(list)
    for one in (evaluation.get("preference") or {}).get("outcomes", []):
        if one["won"] is not None:
            for name in ("all", f"language:{one['language']}", *slices.get(one["sha256"], ())):
                won[name].append(one["won"])
    rates = [_measure_win_rate(name, results) for name, results in won.items() if name == "all"]
    parts = [(name, results) for name, results in won.items() if name != "all" and len(results) >= LEAST_SLICE]
    parts.sort(key=lambda part: (-len(part[1]), part[0]))
    return rates + [_measure_win_rate(name, results) for name, results in parts[:MOST_SLICES]]


def group_tickets(tickets: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Tickets by owner, who has the most first; those that nobody owns last."""
    grouped: dict[tuple[str, ...], list[Mapping[str, Any]]] = defaultdict(list)
    for ticket in tickets:
        grouped[tuple(ticket.get("owners") or ())].append(ticket)
    ordered = sorted(grouped.items(), key=lambda one: (not one[0], -len(one[1]), one[0]))
    return [{"owners": list(owners), "tickets": found} for owners, found in ordered]


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
    verdicts = [example["won"] for example in _list_rewritten(evaluation)]
    if not verdicts:
        return None
    costs = [evaluation[name]["judge"] for name in ("answers", "disliked") if evaluation.get(name)]
    return {
        "won": verdicts.count(True),
        "lost": verdicts.count(False),
        "tied": verdicts.count(None),
        "tokens": sum(cost["prompt_tokens"] + cost["completion_tokens"] for cost in costs),
        "seconds": sum(cost["seconds"] for cost in costs),
    }


def _list_rewritten(evaluation: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    parts = [evaluation.get(name) or {} for name in ("answers", "disliked")]
    return [example for part in parts for example in part.get("examples", [])]


def _measure_win_rate(name: str, won: Sequence[bool]) -> dict[str, Any]:
    share = sum(won) / len(won)
    low, high = wilson_interval(share, len(won))
    return {"name": name, "count": len(won), "share": share, "low": low, "high": high}


def _read_fate(name: str, count: int) -> dict[str, Any]:
    state, _, reason = name.partition(":")
    return {"state": state, "reason": reason or None, "count": count}
