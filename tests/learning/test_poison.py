"""The poisoning benchmark on a small company: what caps and voices do to raters who agreed on wrong answers."""

from benchmarks.machine import read_conditions
from benchmarks.poison import Row, build_figures, measure
from benchmarks.poison_workload import Company


async def test_malicious_raters_lose_most_of_their_pairs_and_honest_ones_few(database_url: str) -> None:
    company = Company(people=50, votes=20, subjects=120)
    row = await measure(database_url, company, percent=20, seed=1)
    assert 0.5 < row.votes_share < 0.6  # 10 * 100 of 10 * 100 + 40 * 20
    assert row.uncapped_share > 0.4
    assert row.share < 0.2
    assert row.kept[0] - row.kept[1] > 0.5 * (row.uncapped[0] - row.uncapped[1])


def test_figures_have_a_key_for_each_share() -> None:
    rows = [Row(percent, 0.5, (90, 60), (40, 4), (80, 50)) for percent in (0, 1, 5, 20)]
    figures = build_figures(rows, read_conditions(1))
    assert [figures[f"pairs_share_at_{percent}_percent"] for percent in (1, 5, 20)] == [0.1] * 3
    assert (figures["pairs_share_at_20_percent_without_caps"], figures["honest_pairs_at_20_percent"]) == (0.625, 36)
