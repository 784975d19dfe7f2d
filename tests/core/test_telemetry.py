"""Logs are JSON, one line an event, each with the answer it belongs to."""

import json
import logging
from pathlib import Path
from typing import Any

import pytest

from core.telemetry import JsonFormatter, interaction_id


def write(message: str, *arguments: object, error: BaseException | None = None, **fields: Any) -> dict[str, Any]:
    """What one event becomes."""
    trace = (type(error), error, error.__traceback__) if error else None
    record = logging.LogRecord("bot.answer", logging.WARNING, __file__, 1, message, arguments, trace)
    vars(record).update(fields)
    line = JsonFormatter().format(record)
    assert "\n" not in line
    return json.loads(line)


def test_an_event_is_one_line_with_its_fields() -> None:
    event = write("answered %s", "twice\nover", seconds=1.5, folder=Path("/a"))
    assert event.pop("at").endswith("+00:00")
    assert event == {
        "level": "warning",
        "logger": "bot.answer",
        "message": "answered twice\nover",
        "seconds": 1.5,
        "folder": "/a",
    }


def test_an_event_names_the_answer_it_belongs_to() -> None:
    token = interaction_id.set(42)
    try:
        assert write("searched")["interaction_id"] == 42
    finally:
        interaction_id.reset(token)
    assert "interaction_id" not in write("searched")


def test_an_error_comes_with_its_trace() -> None:
    with pytest.raises(ValueError, match="the lamp is broken") as caught:
        raise ValueError("the lamp is broken")
    assert write("failed", error=caught.value)["error"].endswith("ValueError: the lamp is broken")
