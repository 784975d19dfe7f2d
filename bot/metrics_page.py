"""`/metrics` for Prometheus, on a port of its own that the pages' proxy does not reach."""

import logging

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST

from bot.gauges import Gauges

log = logging.getLogger(__name__)

PATH = "/metrics"


class MetricsPage:
    """Served beside everything else; a port that is taken, as by a second process here, is said and not waited for."""

    def __init__(self, gauges: Gauges, *, host: str, port: int) -> None:
        self._gauges = gauges
        self._host = host
        self._port = port
        self._runner: web.AppRunner | None = None

    async def start(self) -> None:
        """Open the port."""
        app = web.Application()
        app.add_routes([web.get(PATH, self._show)])
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        try:
            await web.TCPSite(runner, self._host, self._port).start()
        except OSError as error:
            await runner.cleanup()
            where = {"address": f"{self._host}:{self._port}", "error": str(error)}
            log.warning("no metrics here; set METRICS_PORT to a free one", extra=where)
            return
        self._runner = runner

    async def stop(self) -> None:
        """Close it."""
        if self._runner:
            await self._runner.cleanup()
            self._runner = None

    async def _show(self, _: web.Request) -> web.Response:
        return web.Response(body=await self._gauges.render(), headers={"Content-Type": CONTENT_TYPE_LATEST})
