"""Keeping up: every source looked at now and then while the service answers, one after the other."""

import logging
from collections.abc import Callable, Sequence

from core.background import BackgroundWork
from core.database import Database
from core.errors import NightbakeError
from retrieval.active_model import ActiveModel
from retrieval.fusion_calibration import calibrate_fusion
from retrieval.ingest import sync
from retrieval.report import IngestReport
from retrieval.sources.source import Source

log = logging.getLogger(__name__)


class KeepUp(BackgroundWork):
    """Syncs sources at start and on an interval. Several services share the work: a source that another one is
    reading is left to it.

    Args:
        at_once: what the first round looks at; later ones look at every source. None is all.
        interval_seconds: from the end of one round to the next.
        on_report: told of each source's run, e.g. to log it.
    """

    def __init__(
        self,
        database: Database,
        active: ActiveModel,
        sources: Sequence[Source],
        *,
        at_once: Sequence[Source] | None = None,
        interval_seconds: float,
        on_report: Callable[[Source, IngestReport], None] | None = None,
    ) -> None:
        super().__init__("keeping up with sources", pause_seconds=interval_seconds)
        self._database = database
        self._active = active
        self._sources = list(sources)
        self._next = self._sources if at_once is None else list(at_once)
        self._on_report = on_report

    async def stop(self) -> None:
        """End; a document that is under way is read again the next time."""
        await super().stop()
        for source in self._sources:
            await source.close()

    async def turn(self) -> bool:
        """One round; a source that fails is logged, and the next has its turn."""
        for source in self._next:
            await self._read(source)
        self._next = self._sources
        return not self._sources

    async def _read(self, source: Source) -> None:
        try:
            embedder = await self._active.find_embedder()
            report = await sync(self._database, embedder, source, wait=False)
            await calibrate_fusion(self._database, embedder)
        except NightbakeError as error:
            log.warning("source left for later", extra={"source": source.name, "reason": str(error)})
        except Exception:
            log.exception("a source could not be read", extra={"source": source.name})
        else:
            _log(source, report)
            if self._on_report:
                self._on_report(source, report)


def _log(source: Source, report: IngestReport) -> None:
    """A round that changed nothing is not worth a line every few minutes."""
    counts = {"added": report.added, "updated": report.updated, "removed": report.removed}
    level = logging.INFO if any(counts.values()) else logging.DEBUG
    log.log(level, "source read", extra={"source": source.name, **counts})
