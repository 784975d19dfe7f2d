"""Dashboard and alerts name what exists: metrics with their labels, and sections of the page that says what to do.

No Prometheus runs here: an expression is read for its names, brackets and functions, not evaluated.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot import gauges
from core.metrics import REGISTRY

ROOT = Path(__file__).parent.parent.parent
DEPLOY = ROOT / "deploy"
PAGE = ROOT / "docs" / "operations.md"

FUNCTIONS = {
    *("rate", "increase", "sum", "max", "min", "count", "time", "deriv", "absent", "histogram_quantile"),
    *("by", "on", "and", "or", "le"),
}
# Of every target and process; their values are Prometheus' own.
FOREIGN = {"up": {"job", "instance"}}
OF_TARGETS = {"job", "instance"}


def find_metrics() -> dict[str, set[str]]:
    """Names of series, each with its labels."""
    assert gauges.QUERIES, "the gauges stand in the registry once their module is loaded"
    found = dict(FOREIGN)
    for metric in REGISTRY._names_to_collectors:  # type: ignore[reportPrivateUsage]
        collector: Any = REGISTRY._names_to_collectors[metric]  # type: ignore[reportPrivateUsage]
        labels = set(getattr(collector, "_labelnames", ()))
        found[metric] = labels | ({"le"} if metric.endswith("_bucket") else set()) | OF_TARGETS
    return found


def read_alerts() -> list[dict[str, Any]]:
    (group,) = yaml.safe_load((DEPLOY / "prometheus" / "alerts.yaml").read_text())["groups"]
    return group["rules"]


def read_dashboard() -> dict[str, Any]:
    return json.loads((DEPLOY / "grafana" / "nightbake.json").read_text())


def find_expressions() -> Iterator[str]:
    for rule in read_alerts():
        yield rule["expr"]
    for panel in read_dashboard()["panels"]:
        yield from (target["expr"] for target in panel.get("targets", []))


EXPRESSIONS = sorted(set(find_expressions()))


def check_expression(expression: str) -> list[str]:
    """What is wrong with an expression, in words."""
    metrics, wrong = find_metrics(), list[str]()
    bare = re.sub(r'"[^"]*"', '""', expression)
    for opening, closing in ("()", "{}", "[]"):
        if bare.count(opening) != bare.count(closing):
            wrong.append(f"{opening} and {closing} do not pair")
    for name, selector in re.findall(r"([a-z_]\w*)\{([^}]*)\}", bare):
        unknown = set(re.findall(r"(\w+)\s*[=!]", selector)) - metrics.get(name, set())
        wrong += [f"{name} has no label {label}" for label in sorted(unknown)]
    outside = re.sub(r"\{[^}]*\}|\[[^\]]*\]", "", bare)
    grouped = [
        label.strip() for group in re.findall(r"\b(?:by|on)\s*\(([^)]*)\)", outside) for label in group.split(",")
    ]
    named = set(re.findall(r"[a-z_]\w*", re.sub(r"\b(by|on)\s*\([^)]*\)", "", outside))) - FUNCTIONS
    wrong += [f"no metric {name}" for name in sorted(named - set(metrics))]
    known = set().union(*(metrics.get(name, set()) for name in named))
    return wrong + [f"grouped by {label}, which no metric there has" for label in grouped if label not in known]


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_every_expression_names_metrics_that_exist(expression: str) -> None:
    assert check_expression(expression) == []


@pytest.mark.parametrize(
    "wrong",
    [
        "nightbake_queue > 1",
        "max(nightbake_queue_oldest_seconds > 1",
        'nightbake_up{par="database"} == 0',
        "sum by (person) (nightbake_up)",
        "average(nightbake_documents)",
    ],
)
def test_the_check_finds_what_is_wrong(wrong: str) -> None:
    assert check_expression(wrong)


def test_every_metric_of_ours_is_shown() -> None:
    shown = " ".join(EXPRESSIONS)
    ours = {name for name in find_metrics() if name.startswith("nightbake_") and not name.endswith("_created")}
    families = {re.sub(r"_(bucket|count|sum)$", "", name) for name in ours}
    # A counter is known by two names.
    hidden = [name for name in sorted(families) if name not in shown]
    assert hidden == []


def test_every_alert_names_a_section_that_says_what_to_do() -> None:
    headings = re.findall(r"^#+ (.+)$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    anchors = {
        f"docs/operations.md#{re.sub(r'[^a-z0-9 -]', '', heading.lower()).replace(' ', '-')}" for heading in headings
    }
    for rule in read_alerts():
        assert rule["annotations"]["runbook"] in anchors, rule["alert"]
        assert rule["annotations"]["summary"] and rule["labels"]["severity"] in ("page", "ticket")


def test_the_dashboard_s_panels_do_not_overlap() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in read_dashboard()["panels"]:
        grid = panel["gridPos"]
        cells = {(grid["x"] + x, grid["y"] + y) for x in range(grid["w"]) for y in range(grid["h"])}
        assert not cells & taken, panel["title"]
        assert all(x < 24 for x, _ in cells)
        taken |= cells


def test_compose_mounts_what_is_there() -> None:
    compose = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    watched = {name: service for name, service in compose["services"].items() if service.get("profiles") == ["watch"]}
    assert set(watched) == {"prometheus", "grafana"}
    mounts = [mount.split(":")[0] for service in watched.values() for mount in service["volumes"]]
    missing = [mount for mount in mounts if mount.startswith("./") and not (DEPLOY / mount).exists()]
    assert missing == []
