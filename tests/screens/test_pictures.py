"""Every golden screen is drawn, in a real browser, and docs/pictures is taken of our own screens.

NIGHTBAKE_WRITE_PICTURES=1 writes the pictures anew, in English; without it they are taken and thrown away.
"""

import io
import json
import os
import re
from collections.abc import Iterator
from html import escape
from pathlib import Path
from typing import Any, get_args

import pytest
from PIL import Image
from playwright.async_api import Browser

from core.prompt import Language
from tests.screens import block_kit, teams
from tests.screens.page import UnknownKindError, render_page
from tests.screens.samples import make_samples

ROOT = Path(__file__).parents[2]
PICTURES = ROOT / "docs" / "pictures"
MOST_BYTES = 150_000
# Stars that people wrote.
STARS = ("**Urgent**", "*travel*", "**many**")
RENDERERS = {"slack": block_kit.render_screen, "teams": teams.render_screen}
GOLDEN = {
    platform: {
        file.stem: json.loads(file.read_text())
        for file in sorted((ROOT / "tests" / "payloads" / platform / "screens").glob("*.json"))
    }
    for platform in RENDERERS
}


@pytest.mark.browser
@pytest.mark.parametrize("platform", RENDERERS)
async def test_every_golden_screen_is_drawn_whole(browser: Browser, platform: str) -> None:
    """No unknown kind, no plain text lost, nothing wider than the page, and no element but ours."""
    screens = GOLDEN[platform]
    assert len(screens) > 20
    page = await browser.new_page(viewport={"width": 640, "height": 800})
    await page.set_content(render_page(platform, [RENDERERS[platform](screen) for screen in screens.values()]))
    for section, (name, screen) in zip(await page.locator(".screen").all(), screens.items(), strict=True):
        shown = await section.inner_text()
        assert not [text for text in find_plain(screen) if text not in shown], name
        assert not re.search(r"\*\S.*\*", shown) or any(one in shown for one in STARS), f"{name}: bold that stays stars"
        assert await section.evaluate("one => one.scrollWidth <= one.clientWidth"), name
    assert await page.locator("script, at, img:not(.icon)").count() == 0
    await page.close()


@pytest.mark.browser
@pytest.mark.parametrize("language", get_args(Language))
async def test_the_pictures_of_the_documentation_are_small(browser: Browser, language: Language) -> None:
    page = await browser.new_page(viewport={"width": 640, "height": 800}, device_scale_factor=2)
    for name, screen in make_samples(language).items():
        platform = name.partition("-")[0]
        await page.set_content(render_page(platform, [RENDERERS[platform](screen)]))
        assert not re.search(r"\*\*|`", await page.locator(".screen").inner_text()), f"{name}: mark-up that stays"
        picture = shrink(await page.locator(".screen").screenshot())
        assert len(picture) < MOST_BYTES, name
        if os.environ.get("NIGHTBAKE_WRITE_PICTURES") and language == "en":
            (PICTURES / f"{name}.png").write_bytes(picture)
    await page.close()


def test_every_picture_stands_in_its_page_with_words_for_who_cannot_see_it() -> None:
    for name in make_samples("en"):
        guide = (ROOT / "docs" / f"{name.partition('-')[0]}.md").read_text()
        assert f"](pictures/{name}.png)" in guide and f"![](pictures/{name}.png)" not in guide, name
        assert (PICTURES / f"{name}.png").stat().st_size < MOST_BYTES


@pytest.mark.parametrize(
    ("platform", "screen"),
    [
        ("slack", [{"type": "hologram"}]),
        ("slack", [{"type": "actions", "elements": [{"type": "lever"}]}]),
        ("slack", {"type": "drawer"}),
        ("teams", {"type": "AdaptiveCard", "body": [{"type": "Hologram"}]}),
        ("teams", {"attachments": [{"contentType": "application/x-hologram"}]}),
    ],
)
def test_an_unknown_kind_is_told(platform: str, screen: Any) -> None:
    with pytest.raises(UnknownKindError, match="add a function for it"):
        RENDERERS[platform](screen)


def test_markup_of_others_stays_text() -> None:
    bad = "<img src=x onerror=alert(1)>"
    card = {"type": "AdaptiveCard", "body": [{"type": "TextBlock", "text": bad}]}
    sent = bad.replace("<", "&lt;").replace(">", "&gt;")
    section = {"type": "section", "text": {"type": "mrkdwn", "text": sent}}
    drawn = block_kit.render_screen([section, {"type": "markdown", "text": bad}]), teams.render_screen(card)
    assert [html.count(escape(bad)) for html in drawn] == [2, 1]


def shrink(picture: bytes) -> bytes:
    """The same PNG with 128 colours: text keeps its edges at about a third of the size."""
    small = io.BytesIO()
    Image.open(io.BytesIO(picture)).convert("RGB").quantize(128, dither=Image.Dither.NONE).save(
        small, "PNG", optimize=True
    )
    return small.getvalue()


def find_plain(screen: Any) -> Iterator[str]:
    """What stands on a screen word for word: plain text, without dialogs that a click opens and options not chosen."""
    if isinstance(screen, list):
        for item in screen:
            yield from find_plain(item)
    elif isinstance(screen, dict):
        if screen.get("type") == "plain_text":
            yield screen["text"]
        if "label" in screen and isinstance(screen["label"], str):
            yield screen["label"]
        if screen.get("type") in ("Action.Execute", "Action.Submit", "Action.ShowCard"):
            yield screen["title"]
        left_out = {"confirm", "card", "fallback", "initial_options"}
        left_out |= {"options"} if screen.get("type", "").endswith("select") else set()
        left_out |= {"placeholder"} if "initial_option" in screen or "initial_options" in screen else set()
        left_out |= {"positive_button", "negative_button"}
        for name, value in screen.items():
            if name not in left_out:
                yield from find_plain(value)
