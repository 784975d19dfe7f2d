"""The parts of one installation, made from the settings once and handed to every command."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from bot.answer import Answerer
from bot.compose import Composer, Limits
from bot.examples import load_examples
from bot.stops import Stops
from cli.output import say
from core import embedded_model
from core.adapters import Adapters
from core.database import Database
from core.embedded_database import EmbeddedDatabase
from core.feedback import FeedbackLog
from core.forgetting import BASE, Forgetting
from core.gaps import Gaps
from core.interactions import Interactions
from core.model_server import ModelServer
from core.pools import Pools, open_pools
from core.rests import Rests
from core.serving import Serving
from core.settings import Settings, read_list
from core.supervisor import Supervisor
from learning.night import NightSettings, read_night_settings
from retrieval.access import Access
from retrieval.dictionary import Dictionary, load_dictionary
from retrieval.documents import Documents
from retrieval.embedding import Embedder
from retrieval.examples import forget_examples
from retrieval.learned_order import LearnedOrder
from retrieval.lexical import keep_whole
from retrieval.memory import Memory
from retrieval.query import Finder
from retrieval.rerank import Reranker
from retrieval.search import Search
from retrieval.synonyms import Synonyms

SAMPLE = Path(__file__).parent.parent / "sample"


@dataclass(frozen=True, slots=True)
class House:
    """Everything a command may need; opened by `open_house`, never made elsewhere."""

    settings: Settings
    pools: Pools
    interactions: Interactions
    feedback: FeedbackLog
    adapters: Adapters
    model_server: ModelServer
    serving: Serving
    embedder: Embedder
    search: Search
    finder: Finder
    memory: Memory
    dictionary: Dictionary
    composer: Composer
    access: Access
    documents: Documents
    answerer: Answerer
    forgetting: Forgetting

    @property
    def database(self) -> Database:
        """For commands of the operator; what runs for others takes its own of the pools."""
        return self.pools.login

    @property
    def home(self) -> Path:
        """The state folder, absolute."""
        return self.settings.nightbake_home.resolve()

    @property
    def is_embedded_model(self) -> bool:
        """Whether the model server is ours to start."""
        return self.settings.model_url is None

    @property
    def base_model_folder(self) -> Path:
        """Where the embedded base model lies."""
        return self.home / "models" / embedded_model.MODEL_NAME

    def get_document_folders(self) -> list[Path]:
        """What is ingested at start: DOCUMENTS, or the sample handbook into a database of our own."""
        if self.settings.documents:
            return [Path(part) for part in read_list(self.settings.documents)]
        return [SAMPLE / "handbook"] if self.has_sample else []

    @property
    def has_sample(self) -> bool:
        """Whether this is a try-out on the sample handbook."""
        return self.settings.documents is None and self.settings.database_url is None

    def read_night_settings(self) -> NightSettings:
        """The night's section of the settings."""
        settings = self.settings
        embedded = str(self.base_model_folder) if self.is_embedded_model else settings.model_name
        return read_night_settings(settings, base_model=settings.model_path or embedded or "")

    async def choose_adapter(self, name: str | None) -> str | None:
        """The adapter of a command's `--adapter`: None takes what is served, `base` the model without one."""
        if name is not None:
            return None if name == BASE else name
        active = await self.adapters.find_active()
        return active.name if active else None

    async def prepare_model(self) -> bool:
        """Make the embedded base model, unless it is there; True when it was made now."""
        log_file = self.home / "logs" / "base-model.log"
        return await embedded_model.prepare(self.base_model_folder, log_file=log_file, bits=self.settings.model_bits)

    @property
    def quantisation(self) -> dict[str, int]:
        """Bits of the weights that answer and of those that a night trains beside, for what is measured of them."""
        return {"serving_bits": self.settings.model_bits, "training_bits": 4 if self.settings.night_four_bits else 16}

    def build_supervisor(self) -> Supervisor:
        """The embedded model server; the active adapter is loaded each time it has started."""
        return embedded_model.build_supervisor(
            embedded_model.find_served(self.base_model_folder, bits=self.settings.model_bits),
            self.model_server,
            port=self.settings.model_port,
            context_tokens=self.settings.model_context_tokens,
            log_file=self.home / "logs" / "model-server.log",
            on_ready=self.serving.restore,
        )

    @asynccontextmanager
    async def model_running(self, *, quiet: bool) -> AsyncGenerator[None]:
        """A model server for the length of a command: the one that runs, else one of our own, ready in about a minute.

        Args:
            quiet: do not say that one is started.

        Raises:
            ProcessError: the embedded one did not start.
        """
        if not self.is_embedded_model or await self.model_server.is_healthy():
            yield
            return
        say("starting the model server (about a minute)", quiet=quiet)
        await self.prepare_model()
        supervisor = self.build_supervisor()
        await supervisor.start()
        try:
            yield
        finally:
            await supervisor.stop()


@asynccontextmanager
async def open_house(settings: Settings, *, wait_seconds: float = 5) -> AsyncGenerator[House]:
    """Start or reach the database, migrate it, and build every part.

    Args:
        wait_seconds: for a database that is away: short for a person at a terminal, long for a service that starts.

    Raises:
        DatabaseError: the database is away, or was migrated by a newer version.
        SettingsError: the file of synonyms or of examples is not as it should be.
    """
    dictionary = await asyncio.to_thread(load_dictionary, settings.synonyms_file)
    keep_whole(dictionary.words)
    async with AsyncExitStack() as stack:
        url = settings.database_url.get_secret_value() if settings.database_url else None
        if url is None:
            folder = settings.nightbake_home.resolve() / "postgres"
            url = (await stack.enter_async_context(EmbeddedDatabase(folder))).url
        size = settings.database_connections
        pools = await stack.enter_async_context(open_pools(url, size=size, open_seconds=wait_seconds))
        house = _build(settings, pools, dictionary)
        stack.push_async_callback(house.model_server.close)
        yield house


def _build(settings: Settings, pools: Pools, dictionary: Dictionary) -> House:
    model_server = _build_model_server(settings)
    bot, index = pools.bot, pools.index
    interactions, answering = Interactions(bot), Adapters(bot)
    adapters = Adapters(pools.console)
    serving = Serving(adapters=adapters, model_server=model_server)
    languages = read_list(settings.embedding_languages)
    embedder = Embedder(settings.embedding_model, languages=languages, backend=settings.embedding_backend)
    reranker = Reranker(settings.rerank_model) if settings.rerank_model else LearnedOrder(index)
    synonyms = Synonyms(dictionary.groups)
    search = Search(bot, embedder, index=index, reranker=reranker, synonyms=synonyms)
    finder = Finder(index, search, synonyms=synonyms, neighbours=settings.passage_neighbours)
    limits = Limits(
        passages=settings.passages_per_answer,
        examples=settings.examples_per_answer,
        context_tokens=settings.model_context_tokens,
        answer_tokens=settings.model_answer_tokens,
        temperature=settings.model_temperature,
        languages=frozenset(read_list(settings.model_languages)),
    )
    composer = Composer(
        model_server,
        limits,
        restore=Serving(adapters=answering, model_server=model_server).restore,
        is_resting=Rests(bot).is_resting,
        examples=load_examples(settings.examples_file) if settings.examples_file else (),
        find_baked=answering.find_baked_prompt,
    )
    near = {"floor": settings.examples_similarity, "most": settings.examples_per_answer}
    memory = Memory(bot, search.active, index=index, **near)
    return House(
        settings=settings,
        pools=pools,
        interactions=interactions,
        feedback=FeedbackLog(bot),
        adapters=adapters,
        model_server=model_server,
        serving=serving,
        embedder=embedder,
        search=search,
        finder=finder,
        memory=memory,
        dictionary=dictionary,
        composer=composer,
        access=Access(bot, index),
        documents=Documents(index),
        answerer=Answerer(
            interactions=interactions,
            search=finder,
            gaps=Gaps(bot),
            stops=Stops(bot),
            composer=composer,
            base_url=settings.base_url,
            memory=memory,
        ),
        forgetting=Forgetting(
            database=pools.console,
            adapters=adapters,
            serving=serving,
            model_server=model_server,
            home=settings.nightbake_home.resolve(),
            unlearn=forget_examples,
        ),
    )


def _build_model_server(settings: Settings) -> ModelServer:
    return ModelServer(
        settings.model_url or f"http://127.0.0.1:{settings.model_port}",
        settings.model_name or embedded_model.MODEL_NAME,
        api_key=settings.model_api_key.get_secret_value() if settings.model_api_key else None,
        timeout_seconds=settings.model_timeout_seconds,
    )
