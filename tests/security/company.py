"""A company in a real database: it is moved from one random world to the next, and asked what people are shown."""

import asyncio
import json
from collections.abc import AsyncGenerator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from bot.phrases import say
from bot.web.conversations import Conversations
from core.database import Database
from core.directory import Directory, Person
from core.errors import NotFoundError
from core.interactions import Interactions
from core.records import Outcome, Passage, Question
from learning.export import export_feedback
from learning.pair_sources import PairSource
from learning.permission import may_train
from learning.remember import remember
from retrieval.access import Access
from retrieval.documents import Documents
from retrieval.embedding import Embedder
from retrieval.memory import Memory
from retrieval.search import Search
from retrieval.sources.access_rules import AccessRule
from tests.retrieval.made_documents import Made, store
from tests.retrieval.voting import answer, vote
from tests.security.worlds import DOCUMENTS, EVE, GROUPS, TEAM, World

QUESTION = "How many days of leave?"
CONVERSATION = "web:eve:12345678"
# Documents of each memory, of each answer that Eve was given, and of each pair.
SHOWN = ((0, 1), (2,), (3, 4, 5), (0,))
OWN_AUDIENCE = GROUPS[0]

_MOVE = b"""UPDATE documents
SET allow = ARRAY(SELECT jsonb_array_elements_text(row.allow)),
    deny = ARRAY(SELECT jsonb_array_elements_text(row.deny)),
    removed_at = CASE WHEN is_removed THEN now() END
FROM jsonb_to_recordset(%(rows)s::jsonb) AS row(path text, allow jsonb, deny jsonb, is_removed boolean)
WHERE documents.path = row.path"""
_PROMPT = b"""UPDATE interactions
SET messages = jsonb_build_array(jsonb_build_object('role', 'user', 'content', %(text)s::text)) WHERE id = %(id)s"""
_RAW = (
    b"SELECT id FROM documents",
    b"SELECT document_id AS id FROM document_texts",
    b"SELECT document_id AS id FROM chunks WHERE text <> ''",
    b"SELECT documents.id FROM documents LEFT JOIN chunks ON document_id = documents.id WHERE title IS NOT NULL",
)


@dataclass(frozen=True, slots=True)
class _Id:
    id: int


class LeakError(AssertionError):
    """Somebody was shown what they may not read, or was not shown what they may."""


class Company:
    """The parts of the service that show something, each with the rights that it has there."""

    def __init__(self, owner: Database, bot: Database, index: Database, embedder: Embedder) -> None:
        self._owner = owner
        self._bot = bot
        self._directory = Directory(bot)
        self._access = Access(bot, index)
        self._documents = Documents(bot)
        self._search = Search(bot, embedder, index=index)
        self._memory = Memory(bot, self._search.active, index=index, floor=-1.0, most=9)
        self._conversations = Conversations(bot, self._access.find_principals)
        self._ids: list[int] = []
        self._chunks: list[int] = []
        self._memories: list[int] = []
        self._clock = datetime(2026, 1, 1, tzinfo=UTC)
        self._cases = 0
        self.shown = 0

    async def fill(self, embedder: Embedder) -> None:
        """Documents, memories, and answers in Eve's chat, all readable at first."""
        rule = AccessRule(["everyone"])
        texts = [f"site {number} grants {number * 7 + 3} days of leave" for number in range(DOCUMENTS)]
        vectors = await embedder.embed(texts)
        made = [Made(f"{n}.md", [text], rule, {0: vectors[n]}) for n, text in enumerate(texts)]
        await store(self._owner, embedder, made)
        rows = await self._owner.fetch_tuples(
            b"SELECT documents.id, chunks.id FROM documents JOIN chunks ON document_id = documents.id ORDER BY path"
        )
        self._ids, self._chunks = [row[0] for row in rows], [row[1] for row in rows]
        for shown in SHOWN:
            paths = [f"{number}.md" for number in shown]
            number = await answer(self._owner, f"{QUESTION} {paths}", paths)
            await vote(self._owner, number, "user:bo", -1, correction=f"so many at {paths}")
            self._memories.append(number)
            await self._owner.execute(_PROMPT, {"id": number, "text": f"of {' '.join(map(str, shown))}"})
            await self._answer_eve(shown)
        await remember(self._owner)
        # What is cited must also be for the same people as then; here it moves all the time.
        await self._owner.execute(b"UPDATE memory_documents SET is_cited = false")
        await self._memory.fill()
        for name, audience in (("night-1", "everyone"), ("night-2", OWN_AUDIENCE)):
            await self._owner.execute(
                b"""WITH made AS (
                        INSERT INTO adapters (name, folder, base_model, sha256, manifest, audience)
                        VALUES (%(name)s, '/', 'base', '', '{}', %(audience)s) RETURNING id)
                    INSERT INTO switches (adapter_id, switched_by, reason, audience)
                    SELECT id, 'test', 'test', %(audience)s FROM made""",
                {"name": name, "audience": audience},
            )
        await self._owner.execute(
            b"INSERT INTO adapter_audiences (name, principal) VALUES ('own', %(own)s)", {"own": OWN_AUDIENCE}
        )

    async def move(self, world: World) -> None:
        """People, groups and documents become those of a world, by what platforms and administrators say."""
        rows = [
            {"path": f"{number}.md", "allow": rule.allow, "deny": rule.deny, "is_removed": rule.is_removed}
            for number, rule in enumerate(world.documents)
        ]
        await self._owner.execute(_MOVE, {"rows": json.dumps(rows)})
        await self._owner.execute(b"DELETE FROM people")
        self._clock += timedelta(seconds=1)
        known = [Person(one.name, one.kind, self._clock) for one in world.people if one.kind]
        await self._directory.put_people(known)
        for one in world.people:
            await self._access.set_memberships(one.name, sorted(one.given))
        state = await self._directory.find_state(TEAM)
        assert await self._directory.put_groups(TEAM, world.list_groups(), state.version)

    async def check(self, world: World) -> None:
        """Every room of the world is shown what all its people may read, exactly.

        Raises:
            LeakError: it is not.
        """
        rooms = [self._check_room(world, people) for people in world.rooms]
        others = [self._check_web(world), self._check_nobody(), self._check_export(world)]
        # All at once, as people ask; none goes on when the next world comes.
        for outcome in await asyncio.gather(*rooms, *others, return_exceptions=True):
            if outcome:
                raise outcome
        self._check_pairs(world)

    async def _check_room(self, world: World, people: Sequence[str]) -> None:
        principals = await self._access.find_common_principals(people)
        await self._check_readers(principals, world.find_readable(people), f"{people} as {principals}")
        self._check_adapter(world, people, await self._choose_adapter(principals))

    async def _check_web(self, world: World) -> None:
        principals = await self._access.find_principals(EVE)
        readable = world.find_readable([EVE])
        await self._check_readers(principals, readable, f"{EVE} on the web as {principals}")
        await self._check_log(readable)

    async def _check_nobody(self) -> None:
        for query in _RAW:
            self._compare(await self._bot.fetch_all(query, None, _Id), set(), "nobody")

    async def _check_readers(self, principals: Sequence[str], readable: set[int], who: str) -> None:
        for query in _RAW:
            self._compare(await self._bot.fetch_for(principals, query, None, _Id), readable, f"{who}: {query!r}")
        self._compare([_Id(one.id) for one in await self._documents.find(principals)], readable, f"{who}: documents")
        found = await self._search.rank(QUESTION, principals, limit=40)
        self._compare([_Id(one.document_id) for one in found], readable, f"{who}: search")
        # Two of them in turn, or source pages would be half of all that is asked.
        for number in (self._cases % DOCUMENTS, (self._cases + 3) % DOCUMENTS):
            is_open = await self._is_open(number, principals)
            if is_open != (number in readable):
                raise LeakError(f"{who}: source page of {number} is {'open' if is_open else 'closed'}")
        self._cases += 1
        remembered = {one.interaction_id for one in await self._memory.find(QUESTION, principals, adapter=None)}
        raw = b"SELECT interaction_id AS id FROM memories"
        said = {one.id for one in await self._bot.fetch_for(principals, raw, None, _Id)}
        expected = {id_ for id_, shown in zip(self._memories, SHOWN, strict=True) if readable >= set(shown)}
        if not remembered == said == expected:
            raise LeakError(f"{who}: memories {remembered} in prompts and {said} in the table, may read {expected}")
        self.shown += len(readable)

    async def _is_open(self, number: int, principals: Sequence[str]) -> bool:
        try:
            await self._documents.get_place(self._chunks[number], principals)
        except NotFoundError:
            return False
        return True

    def _compare(self, found: Iterable[_Id], readable: set[int], who: str) -> None:
        shown = {self._ids.index(one.id) for one in found}
        if shown != readable:
            raise LeakError(f"{who} is shown {shown}, may read {readable}")

    async def _check_log(self, readable: set[int]) -> None:
        """Her own answers of before; the page of the chat shows them whenever she opens it."""
        turns = await self._conversations.find_turns(CONVERSATION, EVE)
        withheld = say("withheld", "en")
        for shown, turn in zip(SHOWN, turns, strict=True):
            if (turn["answer"] != withheld, bool(turn["passages"])) != (readable >= set(shown),) * 2:
                raise LeakError(f"{EVE} is shown {turn} from {shown}, may read {readable}")

    async def _choose_adapter(self, principals: Sequence[str]) -> str | None:
        query = b"SELECT choose_adapter(%(principals)s::text[], 'web:x') AS name"
        return (await self._bot.fetch_dicts(query, {"principals": list(principals)}))[0]["name"]

    def _check_adapter(self, world: World, people: Sequence[str], adapter: str | None) -> None:
        """Who is answered by an adapter belongs to the audience that it was trained for."""
        counted = [one for one in world.people if one.name in people and one.kind not in ("bot", "gone")]
        if adapter and any(one.kind not in ("member", None) for one in counted):
            raise LeakError(f"{people} are no employees, and {adapter} answers")
        if adapter == "night-2" and any(OWN_AUDIENCE not in one.given | world.find_groups(one) for one in counted):
            raise LeakError(f"{people} are not of {OWN_AUDIENCE}, whose adapter answers")

    def _check_pairs(self, world: World) -> None:
        """What a pair is made of may be read by everyone whom the adapter will answer."""
        for audience in ("everyone", OWN_AUDIENCE):
            served = [
                one
                for one in world.people
                if one.kind in ("member", None)
                and (audience == "everyone" or audience in one.given | world.find_groups(one))
            ]
            for shown in SHOWN:
                rules = [world.documents[number] for number in shown]
                sources = [
                    PairSource(1, 1, 1, 1, "gone" if rule.is_removed else "same", list(rule.allow), list(rule.deny))
                    for rule in rules
                ]
                there = [number for number in shown if not world.documents[number].is_removed]
                if may_train([rule.allow for rule in rules], sources, audience) and not all(
                    world.may_read(one.name, number) for one in served for number in there
                ):
                    raise LeakError(f"a pair of {rules} trains what answers {audience}")

    async def _check_export(self, world: World) -> None:
        """What leaves the house may be read by every employee."""
        employees = [one.name for one in world.people if one.kind in ("member", None)]
        everyone = world.find_readable(employees)
        async for line in export_feedback(self._owner, "kto"):
            shown = json.loads(line)["prompt"][0]["content"].split()[1:]
            if not {int(number) for number in shown} <= everyone:
                raise LeakError(f"{shown} are exported, every employee may read {everyone}")

    async def _answer_eve(self, shown: Sequence[int]) -> None:
        passages = [
            Passage(
                place, self._chunks[number], self._ids[number], 1, f"{number}.md", "", f"{number}.md", None, 0, 1,
                "text", "en", 0.9, 0.9, 0.9, ["everyone"],
            )
            for place, number in enumerate(shown, start=1)
        ]  # fmt: skip
        rows = await self._owner.fetch_dicts(
            b"""INSERT INTO inbox (platform, event_key, conversation_key, kind, payload, done_at)
                VALUES ('web', gen_random_uuid(), %(key)s, 'question', '{}', now()) RETURNING id""",
            {"key": CONVERSATION},
        )
        log = Interactions(self._bot)
        begun = await log.begin(Question("web", CONVERSATION, EVE, ["everyone"], QUESTION, "en", rows[0]["id"]))
        await log.finish(Outcome(begun.id, "so many", "generated", passages=passages, citations=[1]))


@asynccontextmanager
async def open_company(url: str, embedder: Embedder) -> AsyncGenerator[tuple[Company, Database]]:
    """A filled one, and the database with the rights of its owner."""
    async with (
        Database(url) as owner,
        Database(url, role="nightbake_bot") as bot,
        Database(url, role="nightbake_index") as index,
    ):
        company = Company(owner, bot, index, embedder)
        await company.fill(embedder)
        yield company, owner
