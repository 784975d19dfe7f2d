"""`sources.toml`: which sources to keep up with, one table each; secrets stay in variables that it names."""

import json
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, cast

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from core.errors import SettingsError

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
_REF = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_./-]*")
_GIT_ADDRESS = re.compile(r"(https?|ssh|git|file)://\S+|[A-Za-z0-9_.-]+@[A-Za-z0-9.-]+:\S+")

Address = Annotated[str, Field(pattern=r"^https?://\S+$")]


class SourceConfig(BaseModel):
    """What every source has. Fields that end in `_env` name a variable that holds a secret."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    name: str
    owner: str | None = None


class _WithRule(SourceConfig):
    """Sources that do not tell who may read: the file does, and unless it does nobody reads."""

    allow: list[str] = []
    deny: list[str] = []


class FolderConfig(_WithRule):
    """`allow` counts where no `.access.json` says otherwise."""

    kind: Literal["folder"]
    path: Path


class GitConfig(_WithRule):
    """`url` is an address or the folder of a clone."""

    kind: Literal["git"]
    url: str
    ref: str = "HEAD"
    token_env: str | None = None

    @field_validator("url")
    @classmethod
    def _is_repository(cls, value: str) -> str:
        if not _GIT_ADDRESS.fullmatch(value) and not Path(value).is_absolute():
            raise ValueError("expected https://…, ssh://…, git@HOST:PATH or the absolute path of a clone")
        return value

    @field_validator("ref")
    @classmethod
    def _is_ref(cls, value: str) -> str:
        if not _REF.fullmatch(value):
            raise ValueError(f"expected a branch, tag or commit, got {value!r}")
        return value


class WebsiteConfig(_WithRule):
    """Pages and sitemaps of one host."""

    kind: Literal["website"]
    urls: list[Address] = []
    sitemaps: list[Address] = []
    max_pages: int = Field(5000, ge=1, le=1_000_000)
    allow_private: bool = False

    @model_validator(mode="after")
    def _has_one_host(self) -> "WebsiteConfig":
        hosts = {re.split(r"[/?#]", address.partition("://")[2])[0] for address in [*self.urls, *self.sitemaps]}
        if len(hosts) != 1:
            raise ValueError(f"expected urls or sitemaps of one host, got {', '.join(sorted(hosts)) or 'none'}")
        if not self.allow:
            raise ValueError('expected allow, such as ["everyone"]: a web site does not tell who may read it')
        return self


class ConfluenceConfig(SourceConfig):
    """`url` is `https://SITE.atlassian.net/wiki`."""

    kind: Literal["confluence"]
    url: Address
    email: str
    token_env: str
    spaces: list[str] = []


class SharePointConfig(SourceConfig):
    """`drive` is what stands in Graph's address of the drive; `labels` are names of sensitivity labels by their id."""

    kind: Literal["sharepoint"]
    tenant: str = Field(pattern=r"^[A-Za-z0-9.-]+$")
    client_id: str
    secret_env: str
    drive: str = Field(pattern=r"^(drives|sites|users|groups)/[^?#]+$")
    labels: dict[str, str] = Field(default_factory=dict[str, str])
    api_url: Address = "https://graph.microsoft.com/v1.0"
    login_url: Address = "https://login.microsoftonline.com"


class GoogleDriveConfig(SourceConfig):
    """`key_env` holds the service account's key file as JSON, or its path."""

    kind: Literal["google_drive"]
    key_env: str
    drive_id: str | None = None
    domain: str | None = None
    subject: str | None = None
    api_url: Address = "https://www.googleapis.com/drive/v3"


class NotionConfig(_WithRule):
    """`token_env` holds the integration's secret."""

    kind: Literal["notion"]
    token_env: str
    api_url: Address = "https://api.notion.com/v1"


class SlackExportConfig(SourceConfig):
    """`path` is the zip file."""

    kind: Literal["slack_export"]
    path: Path
    deny: list[str] = []


AnyConfig = (
    FolderConfig
    | GitConfig
    | WebsiteConfig
    | ConfluenceConfig
    | SharePointConfig
    | GoogleDriveConfig
    | NotionConfig
    | SlackExportConfig
)
_MODELS: dict[str, type[SourceConfig]] = {
    "folder": FolderConfig,
    "git": GitConfig,
    "website": WebsiteConfig,
    "confluence": ConfluenceConfig,
    "sharepoint": SharePointConfig,
    "google_drive": GoogleDriveConfig,
    "notion": NotionConfig,
    "slack_export": SlackExportConfig,
}


def load_sources(file: Path, environment: Mapping[str, str]) -> list[AnyConfig]:
    """Sources in the order of the file.

    Raises:
        SettingsError: every mistake at once: of form, of names, and variables that are not set.
    """
    try:
        parsed = tomllib.loads(file.read_text("utf-8"))
    except OSError as error:
        raise SettingsError([f"SOURCES_FILE: cannot read {str(file)!r}: {error.strerror}"]) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError([f"{file.name}: expected TOML, got something else: {error}"]) from error
    found: list[AnyConfig] = []
    mistakes: list[str] = []
    for name, table in parsed.items():
        where = f"{file.name} [{name}]"
        config, wrong = _read_table(name, table, environment)
        mistakes += [f"{where} {line}" for line in wrong]
        if config:
            found.append(config)
    if mistakes:
        raise SettingsError(mistakes)
    return found


def _read_table(name: str, table: Any, environment: Mapping[str, str]) -> tuple[AnyConfig | None, list[str]]:
    if not isinstance(table, dict):
        return None, ["expected a table, such as [handbook] above its lines"]
    values = cast(dict[str, Any], table)
    if not _NAME.fullmatch(name):
        return None, ["name: expected small letters, digits, - and _"]
    kinds = ", ".join(_MODELS)
    kind = values.get("kind")
    if not isinstance(kind, str) or kind not in _MODELS:
        return None, [f"kind: expected one of {kinds}, got {kind!r}"]
    try:
        config = _MODELS[kind].model_validate({**values, "name": name})
    except ValidationError as error:
        return None, [_describe(dict(entry)) for entry in error.errors()]
    return cast(AnyConfig, config), _find_missing_secrets(config, environment)


def _describe(entry: dict[str, Any]) -> str:
    where = ".".join(str(part) for part in entry["loc"])
    message = str(entry["msg"]).removeprefix("Value error, ")
    return f"{where}: {message}" if where else message


def _find_missing_secrets(config: SourceConfig, environment: Mapping[str, str]) -> list[str]:
    named = {field: value for field, value in config.model_dump().items() if field.endswith("_env") and value}
    missing = [
        f"{field}: the variable {value} is not set" for field, value in named.items() if not environment.get(value)
    ]
    if isinstance(config, GoogleDriveConfig) and not missing:
        missing += _check_key(config, environment)
    return missing


def _check_key(config: GoogleDriveConfig, environment: Mapping[str, str]) -> list[str]:
    try:
        key = read_service_account(environment[config.key_env])
    except (OSError, ValueError):
        return [f"key_env: expected JSON or the path of a key file in {config.key_env}, got neither"]
    lacking = sorted({"client_email", "private_key", "token_uri"} - set(key))
    return [f"key_env: expected a service account's key, but {', '.join(lacking)} are missing"] if lacking else []


def read_service_account(value: str) -> dict[str, Any]:
    """A key file's content, given as it is or by its path.

    Raises:
        OSError: there is no such file.
        ValueError: it is no JSON object.
    """
    text = value if value.lstrip().startswith("{") else Path(value).read_text("utf-8")
    parsed: Any = json.loads(text)
    if not isinstance(parsed, dict):
        raise ValueError("expected a JSON object")
    return cast(dict[str, Any], parsed)
