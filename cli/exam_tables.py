"""What `nightbake exam run` shows: a table a measure, what stands behind scores, and how far to trust judges."""

from collections.abc import Mapping
from typing import Any

from rich.table import Table

from cli.output import console, escape
from learning.exams.comparison import WAY_NAMES

COLOURS = {"better": "green", "worse": "red"}
VERDICTS = {"against": "", "better": "better", "worse": "worse", "unclear": "cannot tell"}
NAMES: Mapping[str, str] = {str(way): name for way, name in WAY_NAMES["en"].items()}


def print_results(facts: Mapping[str, Any], results: Mapping[str, Any]) -> None:
    """Tables for a person."""
    told = f"{facts['exam']}: {facts['items']} items" if facts["exam"] else "no pinned items"
    gone = f" ({facts['items_gone']} left out, their documents have gone or changed)" if facts["items_gone"] else ""
    console.print(
        f"{told}{gone}, {facts['golden_questions']} golden questions, {facts['model']}, {facts['seconds']:.0f} s"
    )
    for way, adapter in facts["adapters"].items():
        console.print(f"  {NAMES[way]}: {escape(adapter)}")
    for comparison in results["comparisons"]:
        _print_comparison(comparison)
    _print_four_choice(results["four_choice"])
    _print_cells(results["golden"])
    _print_rest(results)
    _print_agreement(results["agreement"])


def _print_comparison(comparison: Mapping[str, Any]) -> None:
    against = NAMES[comparison["against"]]
    left = f", {comparison['left_out']} left out that one way did not answer" if comparison["left_out"] else ""
    title = f"[bold]{escape(comparison['measure'])}[/], {comparison['questions']} questions{left}"
    table = Table("", "of 100", "95 %", f"above {against}", "95 %", "", box=None, header_style="dim", title=title)
    table.title_justify = "left"
    for row in comparison["rows"]:
        gain = row["gain"]
        cells = ["", ""] if gain is None else [f"{gain['value'] * 100:+.1f}", _range(gain, "+.1f")]
        verdict, colour = VERDICTS[row["verdict"]], COLOURS.get(row["verdict"], "dim")
        score = row["score"]
        shown = [NAMES[row["way"]], f"{score['value'] * 100:.1f}", _range(score, ".1f"), *cells]
        table.add_row(*shown, f"[{colour}]{verdict}[/]")
    console.print(table)


def _print_four_choice(found: Mapping[str, Any]) -> None:
    """What the score by letter hides: guessing, and the liking of places."""
    ways = found.get("generation")
    if not ways:
        return
    columns = ("above chance", "right in all orders", "chose A B C D", "same option in all", "no letter")
    table = Table("by letter", *columns, box=None, header_style="dim")
    for way, score in ways.items():
        places = score["places"]
        chosen = " ".join(f"{share:.0%}" for share in places["chosen"])
        above, every = score["above_chance"]["value"], score["every_order"]["value"]
        table.add_row(NAMES[way], f"{above:.0%}", f"{every:.0%}", chosen, *_shares(places, "steady", "unread"))
    console.print(table)


def _print_cells(found: Mapping[str, Any]) -> None:
    """Retrieved or not against right or not."""
    rows = {way: told["cells"] for way, told in found.items() if told["cells"]}
    if not rows:
        return
    names = {
        "found_right": "found, right",
        "found_wrong": "found, wrong",
        "missed_right": "not found, right",
        "missed_wrong": "not found, wrong",
        "refused": "rightly refused",
        "invented": "invented",
    }
    table = Table("golden questions", *names.values(), box=None, header_style="dim")
    for way, cells in rows.items():
        table.add_row(NAMES[way], *(str(cells.get(cell, 0)) for cell in names))
    console.print(table)


def _print_rest(results: Mapping[str, Any]) -> None:
    for language, ways in results["bleu"].items():
        told = [f"{NAMES[way]} {_interval(one['score'], '.1f')}" for way, one in ways.items() if one]
        console.print(f"BLEU, {language}: {'; '.join(told)}")
    for criterion, ways in results["duels"].items():
        for way, duel in ways.items():
            won = "no verdict survived" if duel["won"] is None else f"won {_interval(duel['won'], '.0%')}"
            console.print(f"{criterion}, {NAMES[way]} in pairs: {won}; {duel['survived']:.0%} survived the swap")
    if results["speed"]:
        columns = ("half within", "95 % within", "prompt tokens", "answer tokens")
        table = Table("seconds an answer, four at a time", *columns, box=None, header_style="dim")
        for way, speed in results["speed"].items():
            tokens = [_interval(speed[name], ".0f") for name in ("prompt_tokens", "completion_tokens")]
            table.add_row(NAMES[way], _interval(speed["half"], ".2f"), _interval(speed["most"], ".2f"), *tokens)
        console.print(table)
    for way, found in results["needle"].items():
        console.print(f"needles found, {NAMES[way]}: {_interval(found, '.0%')} of {found['count']}")


def _print_agreement(found: Mapping[str, Any]) -> None:
    if not found:
        console.print(
            "[dim]no judge was held against people; `nightbake golden review` asks whether answers are right[/]"
        )
    for judge, told in found.items():
        if told["same"] is None:
            console.print(f"{escape(judge)}: decided none of the {told['items']} answers that people judged")
            continue
        kappa = "no kappa, all are of one kind" if told["kappa"] is None else f"kappa {_interval(told['kappa'], '.2f')}"
        same = _interval(told["same"], ".0%")
        console.print(f"{escape(judge)} says what people say: {same} of {told['same']['count']}, {kappa}")


def _interval(found: Mapping[str, Any] | None, form: str) -> str:
    return "" if found is None else f"{format(found['value'], form)} [dim]({_range(found, form, 1)})[/]"


def _range(found: Mapping[str, Any], form: str, times: int = 100) -> str:
    """Both ends of an interval, in points of 100 unless said otherwise."""
    ends = [found["low"], found["high"]]
    return " to ".join("?" if end is None else format(end * times, form) for end in ends)


def _shares(found: Mapping[str, float], *names: str) -> list[str]:
    return [f"{found[name]:.0%}" for name in names]
