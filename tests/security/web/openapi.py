"""The table of doors as an OpenAPI description, for a fuzzer that speaks it."""

import re
from typing import Any

from bot.web.doors import DOORS, Door

PARAMETERS: dict[str, dict[str, Any]] = {
    "id": {"type": "integer", "minimum": 0},
    "chunk_id": {"type": "integer", "minimum": 0},
    "key": {"type": "string", "pattern": "^[A-Za-z0-9-]{8,64}$"},
    "language": {"enum": ["en", "ko"]},
    "format": {"enum": ["csv", "json"]},
}


def build_openapi(skipped: tuple[str, ...] = ()) -> dict[str, Any]:
    """Version 3.0, of the addresses that do not begin with one of those skipped."""
    paths: dict[str, dict[str, Any]] = {}
    for door in DOORS:
        if door.who != "platform" and not door.path.startswith(skipped):
            paths.setdefault(door.path, {})[door.method.lower()] = _describe(door)
    return {"openapi": "3.0.2", "info": {"title": "Nightbake", "version": "1"}, "paths": paths}


def _describe(door: Door) -> dict[str, Any]:
    named = [_describe_parameter(name, "path") for name in re.findall(r"\{(\w+)\}", door.path)]
    named += [_describe_parameter(name, "query") for name in door.query]
    described: dict[str, Any] = {"parameters": named, "responses": {"default": {"description": "in words"}}}
    if door.body is not None:
        schema = {"type": "object", "properties": door.body}
        described["requestBody"] = {"content": {"application/json": {"schema": schema}}}
    return described


def _describe_parameter(name: str, place: str) -> dict[str, Any]:
    schema = PARAMETERS[name] if place == "path" else {"type": "string"}
    return {"name": name, "in": place, "required": place == "path", "schema": schema}
