"""What an answer needs from a platform: a place to speak, opened before the first word and closed with the last."""

from dataclasses import dataclass, field
from typing import Protocol

from bot.inbox import Claimed
from core.prompt import Language
from core.records import Mode


@dataclass(frozen=True, slots=True)
class Source:
    """A cited passage as a person sees it; `url` opens the place in the document.

    Attributes:
        sensitivity: name of the document's label; empty where it has none.
    """

    number: int
    title: str
    heading_path: str
    page: int | None
    url: str
    excerpt: str
    sensitivity: str = ""


@dataclass(frozen=True, slots=True)
class FinishedAnswer:
    """A stored answer, ready for the last edit with its sources and feedback controls.

    Attributes:
        notice: a line that says why this is a quotation or a refusal; empty for a generated answer.
        can_ask_human: whether this platform has experts to pass the question on to.
        can_try_again: whether the same people can be shown a second answer.
    """

    interaction_id: int
    language: Language
    text: str
    mode: Mode
    notice: str = ""
    sources: list[Source] = field(default_factory=list[Source])
    can_ask_human: bool = False
    can_try_again: bool = True


class Reply(Protocol):
    """One reply on one platform."""

    async def open(self, interaction_id: int, language: Language) -> str:
        """Show a sign of life; the platform's id of the reply, the same when called again for one event."""
        ...

    async def show(self, text: str) -> None:
        """Show the answer so far, whole; called often, so keep to the platform's pace."""
        ...

    async def close(self, answer: FinishedAnswer) -> None:
        """Show the final answer with sources and feedback controls."""
        ...

    async def decline(self, message: str) -> None:
        """Say why there is no answer: bad input, or an apology with the interaction's id."""
        ...


class Platform(Protocol):
    """A platform's side of the conversation: it makes the reply that belongs to a claimed question."""

    async def reply_to(self, claimed: Claimed) -> Reply | None:
        """The reply for this event; None where nobody waits for one any more."""
        ...
