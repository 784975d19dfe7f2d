"""Who asked in a room may be allowed to read more than the room: that answer is theirs alone, and only they can share.

What is shared is quoted from documents that everyone in the room may read at that moment; nothing else is posted.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import Protocol

from bot.answer import Answerer, Asked, Searcher
from bot.audience import Audiences
from bot.finished import show_stored
from bot.inbox import Claimed, Event, Inbox, Kind
from bot.quote import quote
from bot.reply import FinishedAnswer, Reply
from bot.worker import Handler
from core.errors import NotFoundError
from core.interactions import Interaction, Interactions
from core.prompt import Language
from core.records import Passage
from retrieval.access import SOURCE, Access

MORE, SHARE = "more", "share"
# Enough to see whether anything else is found; the answer searches with limits of its own.
LOOKED_AT = 5


class WhisperPlatform(Protocol):
    """A platform on which one person of a room can be told something alone."""

    def whisper_to(self, claimed: Claimed) -> Reply:
        """A reply in the room of a question that its asker alone sees, with a way to share it."""
        ...

    async def post_shared(self, interaction: Interaction, answer: FinishedAnswer, *, is_all: bool) -> None:
        """Post in the room what its asker shares; an answer without words says only that there is one.

        Args:
            is_all: whether that is the whole answer.
        """
        ...


class More:
    """Notices that there is more, tells it to the one who asked, and shares what may be shared.

    Args:
        platforms: by name; on others nobody is told anything.
    """

    def __init__(
        self,
        *,
        inbox: Inbox,
        access: Access,
        audiences: Audiences,
        interactions: Interactions,
        answerer: Answerer,
        search: Searcher,
        platforms: Mapping[str, WhisperPlatform],
        base_url: str,
    ) -> None:
        self._inbox = inbox
        self._access = access
        self._audiences = audiences
        self._interactions = interactions
        self._answerer = answerer
        self._search = search
        self._platforms = platforms
        self._base_url = base_url

    def handlers(self) -> dict[Kind, Handler]:
        """What the worker does with each kind of event."""
        return {MORE: self.tell, SHARE: self.share}

    async def note(self, claimed: Claimed, interaction_id: int, room: Sequence[str]) -> None:
        """A question was answered for a room: look for more afterwards, where the asker's rights are others."""
        if claimed.platform not in self._platforms or claimed.payload.get("direct"):
            return
        if claimed.payload.get("by_workflow"):
            # Nobody asked, so there is nobody to tell it to.
            return
        own = await self._find_own(claimed, room)
        if not await self._access.read_more(own, room):
            return
        payload = {name: value for name, value in claimed.payload.items() if name != "stop_requested"}
        payload["more_of"] = interaction_id
        # In a conversation of its own: what was understood here must not lead what the room asks next.
        key = f"{claimed.conversation_key}:{claimed.payload['person'].rpartition(':')[2]}"
        await self._inbox.receive(Event(claimed.platform, f"more:{interaction_id}", key, MORE, payload))

    async def tell(self, claimed: Claimed) -> None:
        """Answer once more for the asker alone, and show it only where it is from what the room may not read."""
        room = await self._find(claimed.payload["more_of"])
        if room is None:
            return
        own = await self._find_own(claimed, room.principals)
        question = room.standalone_question or room.question
        found = await self._search.find(question, own, limit=LOOKED_AT)
        if not found.is_answerable or not await self._find_hidden(found.passages, room.principals):
            return
        asked = Asked(claimed.platform, claimed.conversation_key, room.asker, own, question, inbox_id=claimed.id)
        reply = self._platforms[claimed.platform].whisper_to(claimed)
        await self._answerer.answer(asked, _OnlyMore(reply, self, room.principals))

    async def share(self, claimed: Claimed) -> None:
        """Post what everyone may read of an answer, by the wish of the one it was for."""
        interaction = await self._find(claimed.payload["interaction_id"])
        if interaction is None or interaction.asker != claimed.payload["person"]:
            return
        if not interaction.conversation_key.startswith(f"{claimed.conversation_key}:"):
            return
        cited = find_cited(interaction)
        hidden = await self._find_hidden(cited, await self._audiences.find(claimed))
        shown = show_stored(asdict(interaction), base_url=self._base_url)
        if hidden:
            shown = _cut(shown, interaction, [one for one in cited if one.document_id not in hidden])
        platform = self._platforms[claimed.platform]
        await platform.post_shared(interaction, shown, is_all=not hidden)

    async def is_more(self, interaction_id: int, room: Sequence[str]) -> bool:
        """Whether an answer was given, and cites what the room may not read."""
        interaction = await self._interactions.get(interaction_id)
        if interaction.mode not in ("generated", "quoted"):
            return False
        return bool(await self._find_hidden(find_cited(interaction), room))

    async def _find(self, interaction_id: int) -> Interaction | None:
        """None where its asker was forgotten since."""
        try:
            return await self._interactions.get(interaction_id)
        except NotFoundError:
            return None

    async def _find_own(self, claimed: Claimed, room: Sequence[str]) -> list[str]:
        """What the asker may read, of the sources that are searched in the room."""
        own = await self._audiences.find_own(claimed)
        return [*own, *(name for name in room if name.startswith(SOURCE))] if own else []

    async def _find_hidden(self, passages: Sequence[Passage], principals: Sequence[str]) -> set[int]:
        """The documents of these passages that these principals may not read."""
        documents = {passage.document_id for passage in passages}
        return documents - await self._access.find_visible(sorted(documents), principals)


class _OnlyMore:
    """A reply that is shown at its end, and only where it says more than the room was told."""

    def __init__(self, reply: Reply, more: More, room: Sequence[str]) -> None:
        self._reply = reply
        self._more = more
        self._room = room

    async def open(self, interaction_id: int, language: Language) -> str:
        return await self._reply.open(interaction_id, language)

    async def show(self, text: str) -> None:
        pass

    async def close(self, answer: FinishedAnswer) -> None:
        if await self._more.is_more(answer.interaction_id, self._room):
            await self._reply.close(answer)

    async def decline(self, message: str) -> None:
        pass


def find_cited(interaction: Interaction) -> list[Passage]:
    """The passages that an answer cites."""
    cited = interaction.citations or ()
    return [Passage(**passage) for passage in interaction.passages or () if passage["number"] in cited]


def _cut(shown: FinishedAnswer, interaction: Interaction, passages: Sequence[Passage]) -> FinishedAnswer:
    """The answer in sentences of these passages: the model's own words may hold what the others say."""
    text, cited = quote(interaction.standalone_question or interaction.question, passages)
    sources = [source for source in shown.sources if source.number in cited]
    return replace(shown, text=text, mode="quoted", notice="", sources=sources)
