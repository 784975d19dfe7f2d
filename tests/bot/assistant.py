"""The real assistant around a platform: inbox, worker, handlers and answerer on a real database."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from bot.answer import Answerer, Rememberer, Searcher
from bot.changes import DELETION, take_deletions
from bot.compose import Composer, Limits
from bot.experts import ExpertPlatform, Experts
from bot.handlers import Confirm, FeedbackHandler, FindLanguage, FindPrincipals, QuestionHandler, ReadThread
from bot.inbox import Inbox
from bot.line import Notices
from bot.more import More
from bot.reply import Platform
from bot.signals import Signals
from bot.stops import Stops
from bot.worker import Handler, Worker
from core.database import Database
from core.feedback import FeedbackLog
from core.gaps import Gaps
from core.interactions import Interactions
from core.model_server import ModelServer
from core.records import Passage
from retrieval import query
from tests.eventually import eventually
from tests.fakes.model_server import FakeModelServer

BASE_URL = "https://nightbake.example"
TEXT = "Employees have 23 days of annual leave. Leave is asked for in the portal."

LEAVE = Passage(
    number=1,
    chunk_id=7,
    document_id=1,
    document_version=1,
    title="Leave policy",
    heading_path="Annual leave",
    path="leave.md",
    page=3,
    start=0,
    end=len(TEXT),
    text=TEXT,
    language="en",
    score=0.9,
    dense_score=0.8,
    lexical_score=4.0,
    allow=["everyone"],
)


class OneDocument:
    """A searcher over one document that everyone may read; `asked` holds the principals of each search."""

    def __init__(self) -> None:
        self.asked: list[list[str]] = []

    async def search(self, question: str, principals: Sequence[str], *, limit: int) -> list[Passage]:
        self.asked.append(list(principals))
        return [LEAVE] if "everyone" in principals else []

    async def find(self, question: str, principals: Sequence[str], *, limit: int) -> query.Found:
        return query.Found(await self.search(question, principals, limit=limit), question, [])


def build_answerer(
    database: Database,
    search: Searcher,
    model_server: ModelServer,
    *,
    limits: Limits | None = None,
    restore: Callable[[str], Awaitable[None]] | None = None,
    is_resting: Callable[[], Awaitable[bool]] | None = None,
    find_baked: Callable[[str], Awaitable[str | None]] | None = None,
    base_url: str = BASE_URL,
    memory: Rememberer | None = None,
) -> Answerer:
    """The real answerer, with the defaults of an installation where nothing else is said."""
    return Answerer(
        interactions=Interactions(database),
        search=search,
        gaps=Gaps(database),
        stops=Stops(database),
        composer=Composer(
            model_server, limits or Limits(), restore=restore, is_resting=is_resting, find_baked=find_baked
        ),
        base_url=base_url,
        memory=memory,
    )


@asynccontextmanager
async def work(
    *,
    database: Database,
    inbox: Inbox,
    platforms: dict[str, Platform],
    find_principals: FindPrincipals,
    chat_model: FakeModelServer,
    search: OneDocument,
    confirm: Mapping[str, Confirm] | None = None,
    handlers: Mapping[str, Handler] | None = None,
    experts: Mapping[str, ExpertPlatform] | None = None,
    read_thread: Mapping[str, ReadThread] | None = None,
    build_more: Callable[[Answerer], More] | None = None,
    find_language: Mapping[str, FindLanguage] | None = None,
    notices: Mapping[str, Notices] | None = None,
) -> AsyncGenerator[None]:
    """A worker with every handler, until the block ends."""
    interactions = Interactions(database)
    model_server = ModelServer(chat_model.url, chat_model.model)
    answerer = build_answerer(database, search, model_server)
    more = build_more(answerer) if build_more else None
    questions = QuestionHandler(
        answerer=answerer,
        interactions=interactions,
        platforms=platforms,
        find_principals=find_principals,
        signals=Signals(database),
        read_thread=read_thread,
        more=more,
        find_language=find_language,
        notices=notices,
    )
    log = FeedbackLog(database)
    feedback = FeedbackHandler(feedback=log, interactions=interactions, confirm=confirm)
    asked = Experts(database, interactions=interactions, feedback=log, platforms=experts or {})
    worker = Worker(
        inbox=inbox,
        handlers={
            "question": questions,
            "feedback": feedback,
            DELETION: take_deletions(database),
            **asked.handlers(),
            **(more.handlers() if more else {}),
            **(handlers or {}),
        },
        give_up=questions.give_up,
        concurrency=2,
    )
    await worker.start()
    try:
        yield
    finally:
        await worker.stop()
        await model_server.close()


async def settle(inbox: Inbox, *, seconds: float = 20) -> None:
    """Wait until every stored event is done or buried."""

    async def is_empty() -> bool:
        return await inbox.count_open() == 0

    await eventually(is_empty, seconds=seconds)


@dataclass
class Assistant:
    """The real assistant behind one platform; a subclass adds the platform's side."""

    name: str
    find_audience: FindPrincipals
    database: Database
    inbox: Inbox
    platform: Platform
    search: OneDocument

    @property
    def confirm(self) -> Mapping[str, Confirm]:
        """What follows a vote."""
        return {}

    @property
    def handlers(self) -> Mapping[str, Handler]:
        """For events of the platform's own."""
        return {}

    @property
    def experts(self) -> Mapping[str, ExpertPlatform]:
        """Whom a question may be handed to, where the platform has a channel of theirs."""
        return {}

    @property
    def read_thread(self) -> Mapping[str, ReadThread]:
        """What was said in threads, where the platform has them."""
        return {}

    @property
    def find_language(self) -> Mapping[str, FindLanguage]:
        """What language rooms have set, where the platform has rooms."""
        return {}

    @property
    def notices(self) -> Mapping[str, Notices]:
        """What tells places in the line, where the platform has messages for it."""
        return {}

    @property
    def build_more(self) -> Callable[[Answerer], More] | None:
        """Makes what tells askers alone, where the platform can."""
        return None

    @asynccontextmanager
    async def at_work(self, chat_model: FakeModelServer) -> AsyncGenerator[None]:
        """A worker that answers what came and comes, until the block ends."""
        async with work(
            database=self.database,
            inbox=self.inbox,
            platforms={self.name: self.platform},
            find_principals=self.find_audience,
            chat_model=chat_model,
            search=self.search,
            confirm=self.confirm,
            handlers=self.handlers,
            experts=self.experts,
            read_thread=self.read_thread,
            build_more=self.build_more,
            find_language=self.find_language,
            notices=self.notices,
        ):
            yield

    async def settle(self) -> None:
        """Wait until every stored event is done or buried."""
        await settle(self.inbox)

    async def count(self, table: str) -> int:
        rows = await self.database.fetch_dicts(f"SELECT count(*)::integer AS n FROM {table}".encode())
        return rows[0]["n"]
