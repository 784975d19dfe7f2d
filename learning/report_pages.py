"""The facts of a night in words: Markdown for a channel, and one page with plots that needs nothing else. Pure."""

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, pass_context
from jinja2.runtime import Context
from markupsafe import Markup

from core.durations import say_duration
from core.prompt import Language
from learning import charts
from learning.advice.advise import name_kind
from learning.exams.comparison import Comparison, draw, read_comparison, render_comparison
from learning.exams.results import name_measure

FOLDER = Path(__file__).parent / "templates"
LANGUAGES: tuple[Language, ...] = ("en", "ko")
CELL_CHARACTERS = 400
# What of the gate's numbers is a share, a count, or a probability.
SHARE_CHECKS = ("answers", "slice")
CHANGE_CHECKS = ("groundedness",)
COUNT_CHECKS = ("decisive_pairs", "tally")
EXACT_MONEY = 100


def load_texts(language: str) -> dict[str, Any]:
    """Every word of the report in one language."""
    return json.loads((FOLDER / f"report.{language}.json").read_text(encoding="utf-8"))


def render_markdown(facts: Mapping[str, Any], language: Language) -> str:
    """The report for a chat channel; what stands above its first section is the short message."""
    page = _environment(autoescape=False).get_template("report.md")
    tables = [render_comparison(one, language) for one in _list_comparisons(facts, language)]
    return page.render(facts, tables=tables, **_find_words(facts, language)).strip() + "\n"


def render_html(facts: Mapping[str, Any], language: Language) -> str:
    """The report as one page: styles and plots inside, no request to anywhere, people's text escaped."""
    words = _find_words(facts, language)
    plots = {name: Markup(plot) for name, plot in _draw(facts, words["t"], language).items()}
    tables = [(one, Markup(_leave_out_style(draw(one, language)))) for one in _list_comparisons(facts, language)]
    return (
        _environment(autoescape=True)
        .get_template("report.html")
        .render(facts, plots=plots, tables=tables, style=Markup(charts.MATRIX_STYLE + charts.COMPARISON_STYLE), **words)
    )


def _find_words(facts: Mapping[str, Any], language: Language) -> dict[str, Any]:
    texts = load_texts(language)
    needs = [texts["needs"][need["name"]].format(**need["numbers"]) for need in facts["needs"]]
    return {
        "t": texts,
        "language": language,
        "reason_text": tell_reason(facts, texts),
        "need_texts": needs,
        "lacking": _list_lacking(facts["advice"], language),
    }


def _list_comparisons(facts: Mapping[str, Any], language: Language) -> list[Comparison]:
    """Tables of the exam, each named in the language."""
    told = facts["exam_run"]["comparisons"] if facts["exam_run"] else []
    return [replace(read_comparison(one), measure=name_measure(one["measure"], language)) for one in told]


def _list_lacking(advice: Mapping[str, Any] | None, language: Language) -> list[tuple[str, int]]:
    """What failed questions lack, in words, with their number."""
    kinds = [kind for field in advice["fields"] for kind in field["kinds"]] if advice else []
    return [(name_kind(context, behaviour, language), count) for context, behaviour, count in kinds]


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
    return label_slice(of, texts) if kind == "slice" else texts["checks"].get(name, name)


def label_slice(name: str, texts: Mapping[str, Any]) -> str:
    """`all`, `language:ko`, `team:sales` in the report's own words."""
    what, _, which = name.partition(":")
    shown = texts["languages"].get(which, which) if what == "language" else which
    return f"{texts['slice_kinds'].get(what, what)} {shown}".strip()


def describe_check(name: str, texts: Mapping[str, Any]) -> str:
    """The line of a check in the gate's table."""
    kind, _, of = name.partition(":")
    return texts["checks"][kind].format(name=label_check(name, texts)) if of else texts["checks"][name]


def _draw(facts: Mapping[str, Any], texts: Mapping[str, Any], language: Language) -> dict[str, str]:
    preference, needed = facts["preference"], facts["break_even"]["needed"]
    models = preference["models"] if preference else {}
    bars = [
        {"label": texts["models"][name], "share": one["accuracy"], "low": one["low"], "high": one["high"], "kind": name}
        for name, one in models.items()
    ]
    rates = [
        {**one, "label": f"{label_slice(one['name'], texts)} ({one['count']})", "kind": _colour(one)}
        for one in facts["win_rates"]
    ]
    right = [{**facts["break_even"], "label": texts["right_answers"], "kind": "live"}]
    curve = [point["loss"] for point in (facts["training"] or {}).get("curve") or []]
    stages = [(label, facts["seconds"][stage]) for stage, label in texts["stages"].items() if stage in facts["seconds"]]
    draw_shares = partial(charts.draw_shares, percent=texts["percent"])
    return {
        "accuracy": draw_shares(bars) if bars else "",
        "win_rates": draw_shares(rates, mark=0.5) if rates else "",
        "break_even": draw_shares(right, mark=needed) if facts["break_even"]["share"] is not None else "",
        "gains": charts.draw_histogram(preference["gains"]) if preference else "",
        "matrix": _leave_out_style(facts["advice"]["pictures"][language]) if facts["advice"] else "",
        "days": charts.draw_days(facts["days"], most=texts["most_a_day"]),
        "curve": charts.draw_curve(curve),
        "seconds": charts.draw_seconds([(label, took, say_duration(took, language)) for label, took in stages]),
    }


def _leave_out_style(picture: str) -> str:
    """The page has the same rules, in its own colours."""
    return re.sub(r"<style>.*?</style>", "", picture)


def _colour(rate: Mapping[str, Any]) -> str:
    """Surely better, surely worse, or neither."""
    return "good" if rate["low"] > 0.5 else "bad" if rate["high"] < 0.5 else "neutral"


@cache
def _environment(*, autoescape: bool) -> Environment:
    environment = Environment(
        loader=FileSystemLoader(FOLDER),
        autoescape=autoescape,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "cell": _cell,
        "check": _format_check,
        "clip": _clip,
        "describe": describe_check,
        "duration": _say_duration,
        "money": _say_money,
        "percent": _say_percent,
    }
    return environment


def _clip(text: str) -> str:
    return text if len(text) <= CELL_CHARACTERS else text[: CELL_CHARACTERS - 1] + "…"


def _cell(text: str) -> str:
    """Text that stays inside one Markdown table cell or list line and starts no mark-up of its own."""
    flat = " ".join(_clip(text).split())
    for sign in "\\`*_|<>[]":
        flat = flat.replace(sign, f"\\{sign}")
    return flat


@pass_context
def _say_duration(context: Context, seconds: float) -> str:
    return say_duration(seconds, context["language"])


@pass_context
def _say_money(context: Context, amount: float) -> str:
    """`USD 35.20`, `USD −1,200`, in the currency of the figures."""
    digits = 0 if abs(amount) >= EXACT_MONEY or amount == round(amount) else 2
    return f"{context['figures']['currency']} {amount:,.{digits}f}".replace("-", "−")


@pass_context
def _say_percent(context: Context, share: float, digits: int = 0) -> str:
    """`78 %` in English, `78%` in Korean."""
    return f"{share * 100:.{digits}f}{'' if context['language'] == 'ko' else ' '}%"


@pass_context
def _format_check(context: Context, value: float | None, name: str) -> str:
    kind = name.partition(":")[0]
    if value is None:
        text = "–"
    elif kind in COUNT_CHECKS:
        text = f"{value:.0f}"
    elif kind in CHANGE_CHECKS:
        text = f"{value * 100:+.1f} {context['t']['points']}".replace("-", "−")
    elif kind in SHARE_CHECKS:
        text = _say_percent(context, value)
    elif kind == "odds":
        text = f"{value:.1f}" if value < 1000 else ">1000"
    else:
        text = "✓" if value else "✗"
    return text
