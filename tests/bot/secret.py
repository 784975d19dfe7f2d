"""A document that one person may read, beside the one for everyone."""

from collections.abc import Sequence
from dataclasses import replace

from core.database import Database
from core.records import Passage
from retrieval import query
from tests.bot.assistant import LEAVE, OneDocument

SECRET_TEXT = "Directors have 40 days of annual leave."


class TwoDocuments(OneDocument):
    """One that everyone may read, and one of this person's."""

    def __init__(self, person: str) -> None:
        super().__init__()
        self._person = person
        self._secret = replace(
            LEAVE, chunk_id=8, document_id=2, title="Directors' contracts", text=SECRET_TEXT, allow=[person]
        )

    async def search(self, question: str, principals: Sequence[str], *, limit: int) -> list[Passage]:
        found = await super().search(question, principals, limit=limit)
        secret = [self._secret] if self._person in principals else []
        return [replace(one, number=number) for number, one in enumerate([*secret, *found], start=1)]

    async def find(self, question: str, principals: Sequence[str], *, limit: int) -> query.Found:
        # Words are mended by what the asker may read, which must not come back to the room.
        asked = f"{question} (as directors say)" if self._person in principals else question
        return query.Found(await self.search(question, principals, limit=limit), asked, [])


async def store_documents(database: Database, person: str, *, open_secret: bool = False) -> None:
    """Both, with who may read them."""
    for number, allow in ((1, ["everyone"]), (2, ["everyone"] if open_secret else [person])):
        await database.execute(
            b"""INSERT INTO documents (id, source, path, title, format, language, sha256, recipe, allow, deny)
                OVERRIDING SYSTEM VALUE VALUES (%s, 'made', %s, 't', 'text', 'en', 's', 'r', %s, '{}')""",
            [number, f"{number}.md", allow],
        )
