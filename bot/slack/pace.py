"""How often a message that grows is sent: who comes too early leaves it out, for the next one holds its text too."""

from collections.abc import Callable
from dataclasses import dataclass

# Slack takes about one edit a second in a channel and 50 a minute in a workspace; the last edit must find room too.
EDIT_PAUSE_SECONDS = 1.3
# About a hundred pieces of streams a minute.
APPEND_PAUSE_SECONDS = 0.6

Clock = Callable[[], float]


class Pace:
    """One call per pause over all replies."""

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
    """The workspace's paces, shared by all replies."""

    edits: Pace
    appends: Pace
