"""Who votes, and what speaks against taking it at face value: newcomers, bursts, and people who vote as one."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from core.database import Database
from core.sql import load_queries

QUERIES = load_queries(__file__)


@dataclass(frozen=True, slots=True)
class RaterRules:
    """From when on votes are suspicious.

    Attributes:
        quarantine_days: how long a newcomer's pairs wait, where votes go back further than twice that.
        burst_votes, burst_minutes: as many votes of one person in so short a time.
        team_answers, team_minutes: answers on which two people said the same at nearly the same time ...
        team_share: ... and the share that these are of the votes of the one who voted less.
        team_corrections: corrections that two people share to the letter.
    """

    quarantine_days: int = 3
    burst_votes: int = 30
    burst_minutes: int = 10
    team_answers: int = 5
    team_minutes: int = 10
    team_share: float = 0.8
    team_corrections: int = 3


@dataclass(frozen=True, slots=True)
class Raters:
    """What is known of the people behind the votes of a window.

    Attributes:
        new: people in quarantine.
        burst: ids of votes that came in a burst.
        teams: people who vote as one, with the name of the first of them; everybody else is alone.
    """

    new: frozenset[str] = frozenset()
    burst: frozenset[int] = frozenset()
    teams: dict[str, str] = field(default_factory=dict[str, str])

    def get_team(self, person: str) -> str:
        """Under whose name a person's pairs are counted."""
        return self.teams.get(person, person)


@dataclass(frozen=True, slots=True)
class _Rater:
    person: str
    is_new: bool


@dataclass(frozen=True, slots=True)
class _BurstVote:
    feedback_id: int


@dataclass(frozen=True, slots=True)
class _Two:
    one: str
    other: str


async def find_raters(
    database: Database, *, window_from: datetime, window_to: datetime, rules: RaterRules | None = None
) -> Raters:
    """Read the votes of the half-open window; PostgreSQL does the counting."""
    rules = rules or RaterRules()
    window = {"window_from": window_from, "window_to": window_to}
    quarantine = {
        "new_since": window_to - timedelta(days=rules.quarantine_days),
        "old_before": window_to - timedelta(days=2 * rules.quarantine_days),
    }
    raters = await database.fetch_all(QUERIES["find_raters"], window | quarantine, _Rater)
    bursts = {"votes": rules.burst_votes, "minutes": rules.burst_minutes / 2}
    burst = await database.fetch_all(QUERIES["find_bursts"], window | bursts, _BurstVote)
    together = {
        "answers": rules.team_answers,
        "minutes": rules.team_minutes,
        "share": rules.team_share,
        "corrections": rules.team_corrections,
    }
    twos = await database.fetch_all(QUERIES["find_together"], window | together, _Two)
    return Raters(
        frozenset(rater.person for rater in raters if rater.is_new),
        frozenset(vote.feedback_id for vote in burst),
        build_teams([(two.one, two.other) for two in twos]),
    )


def build_teams(twos: Sequence[tuple[str, str]]) -> dict[str, str]:
    """Everybody who is linked with others, with the first name of all that are linked."""
    teams: dict[str, str] = {}
    for one, other in sorted(twos):
        names = sorted({teams.get(one, one), teams.get(other, other)})
        teams |= {person: names[0] for person, team in teams.items() if team in names}
        teams |= {one: names[0], other: names[0]}
    return teams
