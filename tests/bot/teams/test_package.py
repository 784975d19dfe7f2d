"""The app package: complete, within the schema's limits, and the same as what the code takes."""

import io
import json
import struct
import zipfile
import zlib
from typing import Any

import pytest

from bot.teams.commands import COMMAND_WORDS
from bot.teams.extension import ASK
from bot.teams.icons import draw_colour, draw_outline
from bot.teams.package import build_manifest, build_package, build_words
from core.errors import SettingsError
from tests.bot.assistant import BASE_URL
from tests.fakes.teams import APP_ID


def read_png(held: bytes) -> tuple[int, int, list[bytes]]:
    """Width, height, and the RGBA of every pixel; each chunk's checksum is looked at."""
    assert held[:8] == b"\x89PNG\r\n\x1a\n"
    chunks, at = {}, 8
    while at < len(held):
        (size,) = struct.unpack(">I", held[at : at + 4])
        name, inside = held[at + 4 : at + 8], held[at + 8 : at + 8 + size]
        assert struct.unpack(">I", held[at + 8 + size : at + 12 + size]) == (zlib.crc32(name + inside),)
        chunks[name], at = inside, at + 12 + size
    width, height, *kind = struct.unpack(">IIBBBBB", chunks[b"IHDR"])
    assert kind == [8, 6, 0, 0, 0]
    rows = zlib.decompress(chunks[b"IDAT"])
    line = 1 + 4 * width
    assert len(rows) == height * line
    pixels = [rows[row * line + 1 + 4 * x : row * line + 5 + 4 * x] for row in range(height) for x in range(width)]
    return width, height, pixels


def test_the_colour_icon_is_full_and_has_three_colours() -> None:
    width, height, pixels = read_png(draw_colour())
    assert (width, height) == (192, 192)
    assert {pixel[3] for pixel in pixels} == {255}
    assert {b"\x1f\x2a\x44\xff", b"\xff\xff\xff\xff", b"\xf2\xb0\x5e\xff"} <= set(pixels)


def test_the_outline_icon_is_white_on_nothing() -> None:
    width, height, pixels = read_png(draw_outline())
    assert (width, height) == (32, 32)
    assert {pixel[:3] for pixel in pixels if pixel[3]} == {b"\xff\xff\xff"}
    assert {0, 255} < {pixel[3] for pixel in pixels}


def test_the_package_holds_all_that_the_manifest_names_and_is_the_same_each_time() -> None:
    packed = build_package(APP_ID, BASE_URL)
    assert packed == build_package(APP_ID, BASE_URL)
    with zipfile.ZipFile(io.BytesIO(packed)) as package:
        manifest = json.loads(package.read("manifest.json"))
        named = {*manifest["icons"].values(), manifest["localizationInfo"]["additionalLanguages"][0]["file"]}
        assert set(package.namelist()) == {"manifest.json", *named}
        assert json.loads(package.read("ko.json")) == build_words("ko")


def test_the_manifest_keeps_to_the_limits_of_the_schema() -> None:
    manifest = build_manifest(APP_ID, BASE_URL, version="1.0.1")
    assert (manifest["version"], manifest["manifestVersion"]) == ("1.0.1", "1.29")
    assert f"/v{manifest['manifestVersion']}/" in manifest["$schema"]
    limits = {"name.short": 30, "name.full": 100, "description.short": 80, "description.full": 4_000}
    (bot,), (extension,) = manifest["bots"], manifest["composeExtensions"]
    for number in range(len(bot["commandLists"][0]["commands"])):
        limits[f"bots[0].commandLists[0].commands[{number}].title"] = 32
        limits[f"bots[0].commandLists[0].commands[{number}].description"] = 128
    limits |= {f"composeExtensions[0].commands[0].{name}": size for name, size in (("title", 32), ("description", 128))}
    for words in (build_words("ko"), build_words("en")):
        assert set(words) == {"$schema", *limits}
        assert all(0 < len(words[place]) <= limit for place, limit in limits.items())
    for place in limits:
        assert build_words("en")[place] == find(manifest, place)
    assert bot["botId"] == extension["botId"] == manifest["webApplicationInfo"]["id"] == manifest["id"] == APP_ID


def test_the_manifest_announces_what_the_code_takes() -> None:
    manifest = build_manifest(APP_ID, BASE_URL)
    commands = manifest["bots"][0]["commandLists"][0]["commands"]
    assert [command["title"] for command in commands] == [words["en"] for words in COMMAND_WORDS.values()]
    (ask,) = manifest["composeExtensions"][0]["commands"]
    assert (ask["id"], ask["context"], ask["fetchTask"]) == (ASK, ["message"], True)
    assert manifest["validDomains"] == ["nightbake.example"]
    assert manifest["supportsChannelFeatures"] == "tier1"


def test_no_package_is_made_of_settings_that_teams_would_refuse() -> None:
    with pytest.raises(SettingsError, match=r"(?s)TEAMS_APP_ID: .*got None.*PUBLIC_URL: .*got 'http://127.0.0.1:8080'"):
        build_package(None, "http://127.0.0.1:8080")


def find(manifest: Any, place: str) -> Any:
    """`bots[0].botId` in the manifest."""
    for part in place.replace("[", ".").replace("]", "").split("."):
        manifest = manifest[int(part) if part.isdecimal() else part]
    return manifest
