"""One streamed message in a personal chat: Teams shows each longer text in its place, until it is finished or refused.

The rules of Teams: the first piece says what is being done, every text begins with the one before, the final one too;
about one piece a second; two minutes in all. Whoever gets a TeamsError says it all again in an edit or a new message.

Source: "Stream bot messages", Microsoft Teams platform, REST API.
"""

from collections.abc import Callable, Mapping
from typing import Any

from bot.markdown import settle_start
from bot.teams.connector import Message, TeamsConnector, TeamsError
from bot.teams.markdown import MESSAGE_CHARACTERS, to_markdown

# Teams ends a stream after 120 s; the final text must come before that, after a retry too.
STREAM_SECONDS = 105.0

Clock = Callable[[], float]


class TeamsStream:
    """A message under way.

    Attributes:
        id: of the stream, which is that of the message too.
        sent: the words that are shown; empty while only the status is.
    """

    def __init__(self, connector: TeamsConnector, reference: Mapping[str, Any], stream_id: str, clock: Clock) -> None:
        self._connector = connector
        self._reference = _unthread(reference)
        self._clock = clock
        self._began_at = clock()
        self._sequence = 1
        self.id = stream_id
        self.sent = ""

    @classmethod
    async def start(
        cls, connector: TeamsConnector, reference: Mapping[str, Any], status: str, clock: Clock
    ) -> "TeamsStream":
        """Begin with a line that says what is being done.

        Raises:
            TeamsError: here nothing can be streamed, or not now.
        """
        first = {"type": "typing", "text": status, "entities": [_to_entity("informative", sequence=1)]}
        stream_id = await connector.send(_unthread(reference), first)
        if not stream_id:
            raise TeamsError("Teams began a stream without an id", status=400)
        return cls(connector, reference, stream_id, clock)

    @property
    def is_late(self) -> bool:
        """Whether it must be finished now, because Teams is about to end it."""
        return self._clock() - self._began_at >= STREAM_SECONDS

    def find_text(self, text: str) -> str | None:
        """What to show of a growing answer, in Markdown; None where that does not begin with what is shown."""
        shown = to_markdown(settle_start(text)).rstrip()
        return shown if len(shown) <= MESSAGE_CHARACTERS and shown.startswith(self.sent) else None

    async def show(self, text: str) -> None:
        """Send the text so far.

        Raises:
            TeamsError: the stream has ended, or it is too early.
        """
        self._sequence += 1
        entity = _to_entity("streaming", stream_id=self.id, sequence=self._sequence)
        await self._connector.send(
            self._reference, {"type": "typing", "text": text, "entities": [entity]}, patient=False
        )
        self.sent = text

    async def finish(self, message: Message) -> None:
        """End with the message, whose text begins with what is shown.

        Raises:
            TeamsError: it has ended before, or another text was shown.
        """
        entity = _to_entity("final", stream_id=self.id)
        await self._connector.send(self._reference, {**message, "entities": [entity, *message.get("entities", [])]})


def _unthread(reference: Mapping[str, Any]) -> dict[str, Any]:
    """The chat itself: Teams documents streams for it only, not for answers to one message."""
    return {**reference, "activityId": None}


def _to_entity(kind: str, *, stream_id: str | None = None, sequence: int | None = None) -> dict[str, Any]:
    entity: dict[str, Any] = {"type": "streaminfo", "streamType": kind}
    if stream_id:
        entity["streamId"] = stream_id
    # Teams refuses a final piece with a number.
    if sequence:
        entity["streamSequence"] = sequence
    return entity
