"""How often a message that grows is sent: who comes too early leaves it out, for the next one holds its text too."""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

# Slack takes about one edit a second in a channel and 50 a minute in a workspace; the last edit must find room too.
EDIT_PAUSE_SECONDS = 1.3
# About a hundred pieces of streams a minute.
APPEND_PAUSE_SECONDS = 0.6
# Paces remembered; one that is forgotten lets one call through too early.
MOST_PACES = 10_000

Clock = Callable[[], float]


class Pace:
    """One call per pause over all replies that share it."""

    def __init__(self, clock: Clock, *, pause_seconds: float = EDIT_PAUSE_SECONDS) -> None:
        self._clock = clock
        self._pause_seconds = pause_seconds
        self._next_at = 0.0

    def is_due(self) -> bool:
        """Whether a call may be made now."""
        return self._clock() >= self._next_at

    def take(self) -> bool:
        """As `is_due`; if so the next one must wait."""
        if not self.is_due():
            return False
        self._next_at = self._clock() + self._pause_seconds
        return True


@dataclass(frozen=True, slots=True)
class Paces:
    """The paces of one reply."""

    edits: Pace
    appends: Pace


class SharedPaces:
    """Edits share a workspace's pace, pieces of streams a channel's: many who are answered at once slow down nobody."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._paces: OrderedDict[tuple[str, str], Pace] = OrderedDict()

    def find(self, team: str, channel: str) -> Paces:
        """Those of a reply in this channel."""
        return Paces(self._find((team, ""), EDIT_PAUSE_SECONDS), self._find((team, channel), APPEND_PAUSE_SECONDS))

    def _find(self, key: tuple[str, str], pause_seconds: float) -> Pace:
        pace = self._paces.setdefault(key, Pace(self._clock, pause_seconds=pause_seconds))
        self._paces.move_to_end(key)
        if len(self._paces) > MOST_PACES:
            self._paces.popitem(last=False)
        return pace
