"""Screens as Teams is sent them, kept as golden files and held to the schema of cards."""

import json
import os
from pathlib import Path
from typing import Any

SCREENS = Path(__file__).parents[2] / "payloads" / "teams" / "screens"

# Of the schema 1.5: what each element of ours needs, and what else it may have.
ELEMENTS: dict[str, tuple[set[str], set[str]]] = {
    "AdaptiveCard": ({"$schema", "version", "body"}, {"actions"}),
    "TextBlock": ({"text", "wrap"}, {"weight", "size", "isSubtle"}),
    "ActionSet": ({"actions"}, set()),
    "Input.Text": ({"id", "label", "maxLength", "isMultiline"}, {"placeholder", "value"}),
    "Input.ChoiceSet": ({"id", "label", "style", "choices"}, {"value"}),
    "Action.Execute": ({"title", "verb", "data", "fallback"}, set()),
    "Action.Submit": ({"title", "data"}, set()),
    "Action.OpenUrl": ({"title", "url"}, set()),
    "Action.ShowCard": ({"title", "card"}, set()),
}


def check_card(element: dict[str, Any]) -> None:
    """Fail where a card has what the schema does not know."""
    needed, allowed = ELEMENTS[element["type"]]
    names = set(element) - {"type"}
    assert needed <= names <= needed | allowed, element
    inner = [element.get("fallback"), element.get("card"), *element.get("body", []), *element.get("actions", [])]
    for one in filter(None, inner):
        check_card(one)


def check_screen(name: str, screen: Any) -> None:
    """Compare with the golden file; NIGHTBAKE_WRITE_SCREENS=1 writes it anew."""
    for message in screen if isinstance(screen, list) else [screen]:
        for attached in message.get("attachments", []):
            check_card(attached["content"])
        if message.get("type") == "AdaptiveCard":
            check_card(message)
    file = SCREENS / f"{name}.json"
    if os.environ.get("NIGHTBAKE_WRITE_SCREENS"):
        SCREENS.mkdir(exist_ok=True)
        file.write_text(json.dumps(screen, indent=2, ensure_ascii=False) + "\n")
    assert screen == json.loads(file.read_text())
