"""What happens in one run of the benchmark of faults: drawn from a seed, and from nothing else.

Times are seconds from the start of a run. The same seed gives the same schedule; how long processes take to do what it
makes them do differs from machine to machine.
"""

import random
from dataclasses import dataclass, replace
from typing import Literal, get_args

REPLICAS = 2
# A night is in every so many-th run, for it takes longer than all the rest.
NIGHT_EVERY = 10
QUIET_SECONDS, NIGHT_SECONDS, MODEL_SECONDS = 3.0, 15.0, 30.0

Platform = Literal["slack", "teams", "web"]
Act = Literal["up", "down", "back", "correct"]
Kind = Literal[
    "replica killed",
    "replica frozen",
    "replica replaced",
    "replica's clock wrong",
    "model server killed",
    "database stopped",
    "database crashed",
    "database's clock wrong",
    "connections cut",
    "connections hung",
    "connections slow",
    "disk full",
    "scheduler killed",
    "trainer killed",
]
OF_NIGHTS: tuple[Kind, ...] = ("scheduler killed", "trainer killed", "model server killed")
ALWAYS: tuple[Kind, ...] = tuple(kind for kind in get_args(Kind) if kind not in ("scheduler killed", "trainer killed"))
# A process dies more often than a disk is full.
WEIGHTS: dict[Kind, int] = {"replica killed": 4, "database crashed": 2, "connections cut": 2, "connections hung": 2}
# People change their minds; what stands in the end is the last of these.
MINDS: tuple[tuple[Act, ...], ...] = (
    ("up",),
    ("down",),
    ("correct",),
    ("up", "back"),
    ("down", "up"),
    ("up", "down"),
    ("down", "correct"),
)


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that breaks, for a while.

    Attributes:
        target: which of several; taken modulo their number.
        jump: seconds by which a clock is set forward, or back.
    """

    at: float
    kind: Kind
    target: int
    seconds: float
    jump: float = 0.0


@dataclass(frozen=True, slots=True)
class Delivery:
    """How an event comes in.

    Attributes:
        replica: that gets it first; a platform that gets no answer goes on to the next.
        copies: seconds after which it comes once more; 0 is at once, at the other replica.
    """

    replica: int
    copies: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Vote:
    """One act of one of those who may vote on an answer.

    Attributes:
        late: seconds by which its event is behind those of later acts.
    """

    voter: int
    act: Act
    after: float
    delivery: Delivery
    late: float = 0.0


@dataclass(frozen=True, slots=True)
class Ask:
    """A question; its number is its name wherever it is shown."""

    number: int
    at: float
    platform: Platform
    delivery: Delivery
    votes: tuple[Vote, ...]


@dataclass(frozen=True, slots=True)
class Schedule:
    """One run."""

    seed: int
    run: int
    has_night: bool
    asks: tuple[Ask, ...]
    faults: tuple[Fault, ...]

    @property
    def votes(self) -> int:
        """How many acts of voting it has."""
        return sum(len(ask.votes) for ask in self.asks)


def draw_schedule(
    seed: int, run: int, *, night_every: int = NIGHT_EVERY, quiet_seconds: float = QUIET_SECONDS
) -> Schedule:
    """The schedule of a run.

    Args:
        night_every: 0 for no nights.
        quiet_seconds: within which people ask and things break, in a run without a night.
    """
    chance = random.Random(f"{seed}:{run}")
    has_night = night_every > 0 and run % night_every == 0
    seconds = NIGHT_SECONDS if has_night else quiet_seconds
    asks = sorted((_draw_ask(chance, number, seconds) for number in range(1, 15)), key=lambda ask: ask.at)
    faults = [_draw_fault(chance, ALWAYS, seconds) for _ in range(chance.randint(2, 4))]
    if has_night:
        faults += [_draw_fault(chance, OF_NIGHTS, seconds) for _ in range(chance.randint(1, 3))]
    return Schedule(seed, run, has_night, tuple(asks), tuple(sorted(faults, key=lambda fault: fault.at)))


def draw_replacement(seed: int, run: int) -> Schedule:
    """A rolling restart: every replica is asked to end and replaced, one after the other, while people ask."""
    drawn = draw_schedule(seed, run, night_every=0)
    faults = tuple(Fault(0.5 + 1.5 * turn, "replica replaced", turn, 0.0) for turn in range(REPLICAS))
    return Schedule(seed, run, False, drawn.asks, faults)


def draw_model_deaths(seed: int, run: int) -> Schedule:
    """A real model server, which takes its time to answer and to start again, dies once and more than others do."""
    drawn = draw_schedule(seed, run, night_every=0, quiet_seconds=MODEL_SECONDS)
    death = _draw_fault(random.Random(f"{seed}:{run}:model"), ("model server killed",), MODEL_SECONDS)
    return replace(drawn, faults=tuple(sorted((*drawn.faults, death), key=lambda fault: fault.at)))


def _draw_fault(chance: random.Random, kinds: tuple[Kind, ...], seconds: float) -> Fault:
    (kind,) = chance.choices(kinds, weights=[WEIGHTS.get(kind, 1) for kind in kinds])
    at, target, length = chance.uniform(0.1, seconds), chance.randrange(REPLICAS), chance.uniform(0.1, 2.5)
    # Of two in one run, the second sets the clock back by up to a day.
    forward = chance.uniform(60, 24 * 3600)
    jump = chance.choice((forward, -chance.uniform(0.1, 2.0)))
    return Fault(at, kind, target, length, jump if "clock" in kind else 0.0)


def _draw_ask(chance: random.Random, number: int, seconds: float) -> Ask:
    platform: Platform = chance.choice(get_args(Platform))
    at, delivery = chance.uniform(0.0, seconds), _draw_delivery(chance)
    # On the web only who asked may judge.
    voters = 1 if platform == "web" else chance.randint(1, 2)
    votes = [
        Vote(voter, act, chance.uniform(0.0, 0.4), _draw_delivery(chance), chance.choice((0.0, 0.0, 0.0, 1.0)))
        for voter in range(voters)
        for act in chance.choice(MINDS)
    ]
    return Ask(number, at, platform, delivery, tuple(votes))


def _draw_delivery(chance: random.Random) -> Delivery:
    """Half of all events come once; of the others a copy comes at once, late, or both."""
    copies = chance.choice(((), (), (0.0,), (chance.uniform(0.2, 1.2),), (0.0, chance.uniform(0.2, 1.2))))
    return Delivery(chance.randrange(REPLICAS), copies)
