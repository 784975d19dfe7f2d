"""Screens as Slack is sent them, kept as golden files and held to the SDK's models."""

import json
import os
from pathlib import Path
from typing import Any

from slack_sdk.models.blocks import Block
from slack_sdk.models.views import View

SCREENS = Path(__file__).parents[2] / "payloads" / "slack" / "screens"


def check_screen(name: str, screen: dict[str, Any] | list[dict[str, Any]]) -> None:
    """Compare with the golden file; NIGHTBAKE_WRITE_SCREENS=1 writes it anew."""
    blocks = screen["blocks"] if isinstance(screen, dict) else screen
    for block in blocks:
        parsed: Any = Block.parse(block)
        assert parsed is not None, f"no such block: {block['type']}"
        assert set(parsed.to_dict()) == set(block)
    if isinstance(screen, dict):
        View(**screen).to_dict()
    file = SCREENS / f"{name}.json"
    if os.environ.get("NIGHTBAKE_WRITE_SCREENS"):
        SCREENS.mkdir(exist_ok=True)
        file.write_text(json.dumps(screen, indent=2, ensure_ascii=False) + "\n")
    assert screen == json.loads(file.read_text())
