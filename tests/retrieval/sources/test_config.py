"""`sources.toml`: every kind read, every mistake in one report, no secret in it."""

import json
from pathlib import Path

import pytest

from core.errors import SettingsError
from retrieval.sources.build import build_source
from retrieval.sources.config import load_sources

EVERY_KIND = """
[handbook]
kind = "folder"
path = "/srv/handbook"
allow = ["everyone"]

[code]
kind = "git"
url = "https://git.example.com/handbook.git"
ref = "main"
token_env = "SECRET"

[site]
kind = "website"
sitemaps = ["https://example.com/sitemap.xml"]
allow = ["everyone"]

[wiki]
kind = "confluence"
url = "https://example.atlassian.net/wiki"
email = "bot@example.com"
token_env = "SECRET"
spaces = ["HR"]

[files]
kind = "sharepoint"
tenant = "example.onmicrosoft.com"
client_id = "0000"
secret_env = "SECRET"
drive = "sites/example.sharepoint.com:/sites/hr:/drive"

[drive]
kind = "google_drive"
key_env = "KEY"
domain = "example.com"

[notes]
kind = "notion"
token_env = "SECRET"
allow = ["group:people"]

[chat]
kind = "slack_export"
path = "/srv/export.zip"
"""
KEY = json.dumps({"client_email": "a@b", "private_key": "k", "token_uri": "https://t.example"})
ENVIRONMENT = {"SECRET": "hunter2", "KEY": KEY}


def find_mistakes(tmp_path: Path, content: str) -> list[str]:
    file = tmp_path / "sources.toml"
    file.write_text(content)
    with pytest.raises(SettingsError) as caught:
        load_sources(file, ENVIRONMENT)
    assert "hunter2" not in str(caught.value)
    return caught.value.mistakes


async def test_every_kind_is_read_and_built(tmp_path: Path) -> None:
    file = tmp_path / "sources.toml"
    file.write_text(EVERY_KIND)
    sources = [build_source(config, ENVIRONMENT, cache=tmp_path) for config in load_sources(file, ENVIRONMENT)]
    kinds = ["folder", "git", "website", "confluence", "sharepoint", "google_drive", "notion", "slack_export"]
    names = ["handbook", "code", "site", "wiki", "files", "drive", "notes", "chat"]
    assert ([source.kind for source in sources], [source.name for source in sources]) == (kinds, names)
    for source in sources:
        await source.close()


def test_every_mistake_comes_in_one_report(tmp_path: Path) -> None:
    content = '[a]\nkind = "ftp"\n[b]\nkind = "git"\nurl = "x"\nref = "--x"\n[c]\nkind = "notion"\ntoken_env = "NONE"\n'
    mistakes = find_mistakes(tmp_path, content)
    assert [mistake.split(":")[0] for mistake in mistakes] == [
        "sources.toml [a] kind",
        "sources.toml [b] url",
        "sources.toml [b] ref",
        "sources.toml [c] token_env",
    ]


@pytest.mark.parametrize(
    ("content", "mistake"),
    [
        ('[a]\nkind = "folder"\n', "sources.toml [a] path: Field required"),
        ('[a]\nkind = "folder"\npath = "/x"\nalow = ["everyone"]\n', "[a] alow: Extra inputs are not permitted"),
        ('[A]\nkind = "folder"\npath = "/x"\n', "[A] name: expected small letters"),
        ('a = "x"\n', "[a] expected a table"),
        ("[a\n", "expected TOML"),
        ('[a]\nkind = ["folder"]\n', "kind: expected one of folder, "),
        ('[a]\nkind = "git"\nurl = "ext::sh -c id"\n', "url: expected https://"),
        ('[a]\nkind = "website"\nurls = ["https://a.example"]\n', 'expected allow, such as ["everyone"]'),
        (
            '[a]\nkind = "website"\nallow = ["everyone"]\nurls = ["https://a.example", "https://b.example"]\n',
            "of one host, got a.example, b.example",
        ),
        ('[a]\nkind = "google_drive"\nkey_env = "SECRET"\n', "expected JSON or the path of a key file in SECRET"),
        ('[a]\nkind = "notion"\ntoken_env = "NONE"\n', "token_env: the variable NONE is not set"),
    ],
)
def test_a_mistake_says_where_it_is(tmp_path: Path, content: str, mistake: str) -> None:
    (found,) = find_mistakes(tmp_path, content)
    assert mistake in found


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="SOURCES_FILE: cannot read"):
        load_sources(tmp_path / "none.toml", {})
