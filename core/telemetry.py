"""JSON logs, one line an event, each carrying the interaction it belongs to, and its trace where there is one."""

import json
import logging
import sys
from contextvars import ContextVar
from datetime import UTC, datetime
from pathlib import Path

from core.tracing import find_trace_id

interaction_id: ContextVar[int | None] = ContextVar("interaction_id", default=None)

_STANDARD = set(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class JsonFormatter(logging.Formatter):
    """Time, level, logger and message, then the fields given as `extra`."""

    def format(self, record: logging.LogRecord) -> str:
        """One JSON object without line breaks."""
        fields: dict[str, object] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if (current := interaction_id.get()) is not None:
            fields["interaction_id"] = current
        if trace_id := find_trace_id():
            fields["trace_id"] = trace_id
        fields |= {key: value for key, value in vars(record).items() if key not in _STANDARD}
        if record.exc_info:
            fields["error"] = self.formatException(record.exc_info)
        return json.dumps(fields, ensure_ascii=False, default=str)


def configure_logging(*, level: str = "INFO", file: Path | None = None) -> None:
    """Send every log to one JSON handler: a file where one is given, else standard error."""
    if file:
        file.parent.mkdir(parents=True, exist_ok=True)
    handler = logging.FileHandler(file) if file else logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter())
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    for noisy in ("aiohttp.access", "apscheduler", "httpx", "psycopg.pool", "sentence_transformers"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    # On some CPUs it warns, as soon as it is imported, of kernels for 4 bits that nothing here uses.
    logging.getLogger("bitsandbytes").setLevel(logging.ERROR)
