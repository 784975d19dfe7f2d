"""The embedding model that questions are asked with: the one that a row of the database names, in every process.

It is the one of the settings, unless that one is still being filled in (`model_change.py`).
"""

import asyncio
import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from core.database import Database
from core.prompt import detect_language
from core.sql import load_queries
from retrieval.embedding import Embedder
from retrieval.fusion import UNMEASURED, Calibration
from retrieval.fusion_calibration import Measured, find_calibrations

QUERIES = load_queries(__file__)

log = logging.getLogger(__name__)

# So long a process goes on with what it knew of a switch or a new calibration.
REFRESH_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Asked:
    """A model as questions are asked with it.

    Attributes:
        embedder: None where it cannot be loaded, so that questions are found by words only.
        model_id: None while nothing was embedded.
        calibrations: what its scores mean here, by language.
    """

    name: str
    embedder: Embedder | None
    model_id: int | None = None
    calibrations: Mapping[str, Measured] = field(default_factory=dict[str, Measured])

    def reads(self, text: str) -> bool:
        """Whether the model knows the language of a text, by the settings and as measured."""
        return bool(self.embedder and self.embedder.reads(text) and self.choose_calibration(text).dense_share)

    def choose_calibration(self, text: str) -> Calibration:
        """As measured for the language of a text; of one that has too few chunks, by the scale of another one.

        A Korean question over English pages is such a case: its cosines are this model's, and not another's.
        """
        if measured := self.calibrations.get(detect_language(text)):
            return measured.calibration
        others = [measured.calibration for _, measured in sorted(self.calibrations.items())]
        return replace(others[0], dense_share=1.0) if others else UNMEASURED


@dataclass(frozen=True, slots=True)
class _Row:
    id: int
    name: str
    languages: list[str]


class ActiveModel:
    """Follows the row, and goes on with the former model until the next one is loaded.

    Args:
        configured: of the settings; another active model is loaded beside it.
    """

    def __init__(self, database: Database, configured: Embedder) -> None:
        self.configured = configured
        self._database = database
        self._asked: Asked | None = None
        self._until = 0.0
        self._followed: str | None = None
        self._loading: asyncio.Task[Embedder | None] | None = None

    async def find(self) -> Asked:
        """The model that questions are asked with now; the first call may wait for one to be loaded.

        Raises:
            DatabaseError: the database stayed away.
        """
        if self._asked is None or self._asked.model_id is None or time.monotonic() >= self._until:
            self._asked = await self._look()
            self._until = time.monotonic() + REFRESH_SECONDS
        return self._asked

    async def find_embedder(self) -> Embedder:
        """The model to read new documents with: the active one, or the configured one where that cannot be loaded."""
        return (await self.find()).embedder or self.configured

    async def load(self) -> None:
        """Load the active and the configured model now and not at the first question.

        Raises:
            SettingsError: there is no such model as is configured.
        """
        await self.configured.load()
        asked = await self.find()
        if asked.embedder:
            await asked.embedder.load()

    async def _look(self) -> Asked:
        row = await self._database.fetch_one(QUERIES["find_active"], None, _Row)
        if row is None:
            return Asked(self.configured.name, self.configured)
        if self._asked and self._asked.name == row.name:
            embedder = self._asked.embedder
        elif self._asked is None and row.name == self.configured.name:
            # By itself it loads where it is needed, and a question that is found by words need not wait for it.
            embedder = self.configured
        else:
            loading = self._follow(row)
            if self._asked and not loading.done():
                return self._asked
            # Shielded: a question that is given up must not take the model from those behind it.
            embedder = await asyncio.shield(loading)
        return Asked(row.name, embedder, row.id, await find_calibrations(self._database, row.name))

    def _follow(self, row: _Row) -> asyncio.Task[Embedder | None]:
        if self._loading is None or self._followed != row.name:
            self._followed, self._loading = row.name, asyncio.create_task(self._load(row))
        return self._loading

    async def _load(self, row: _Row) -> Embedder | None:
        own = row.name == self.configured.name
        backend = self.configured.backend
        embedder = self.configured if own else Embedder(row.name, languages=row.languages, backend=backend)
        try:
            await embedder.load()
        # Whatever is wrong with a model of yesterday's settings, today's questions can be answered by words.
        except Exception as error:
            log.warning(
                "the active embedding model cannot be loaded; questions are found by words only until the one of the "
                "settings is filled in, or this process is started again",
                extra={"model": row.name, "reason": str(error)},
            )
            return None
        return embedder
