"""A source from its table in `sources.toml`; the one place where secrets meet their source."""

import hashlib
from collections.abc import Mapping
from pathlib import Path

from retrieval.sources.access_rules import AccessRule
from retrieval.sources.config import (
    AnyConfig,
    ConfluenceConfig,
    FolderConfig,
    GitConfig,
    GoogleDriveConfig,
    NotionConfig,
    SharePointConfig,
    SlackExportConfig,
    WebsiteConfig,
    read_service_account,
)
from retrieval.sources.confluence import ConfluenceSource
from retrieval.sources.folder import FolderSource
from retrieval.sources.git import GitSource
from retrieval.sources.google_drive import GoogleDriveSource
from retrieval.sources.http import HttpClient
from retrieval.sources.notion import API_VERSION, NotionSource
from retrieval.sources.sharepoint import SharePointSource
from retrieval.sources.slack_export import SlackExportSource
from retrieval.sources.source import Source
from retrieval.sources.tokens import (
    authorise_as_application,
    authorise_as_service_account,
    authorise_with_password,
    authorise_with_token,
)
from retrieval.sources.website import WebsiteSource

_GRAPH_SCOPE = "{}/.default"


def build_source(config: AnyConfig, environment: Mapping[str, str], *, cache: Path) -> Source:
    """A source that has not connected yet.

    Args:
        environment: holds the secrets; that none is missing was checked when the file was read.
        cache: folder for clones.
    """
    if isinstance(config, FolderConfig | GitConfig):
        return _build_files(config, environment, cache)
    if isinstance(config, SlackExportConfig):
        return SlackExportSource(config.name, config.path, deny=config.deny, owner=config.owner)
    if isinstance(config, WebsiteConfig):
        return WebsiteSource(
            config.name,
            urls=config.urls,
            sitemaps=config.sitemaps,
            rule=AccessRule(config.allow, config.deny, config.owner),
            max_pages=config.max_pages,
            allow_private=config.allow_private,
        )
    return _build_service(config, environment)


def _build_files(config: FolderConfig | GitConfig, environment: Mapping[str, str], cache: Path) -> Source:
    default = AccessRule(config.allow, config.deny, config.owner)
    if isinstance(config, FolderConfig):
        return FolderSource(config.path, name=config.name, default=default)
    token = environment[config.token_env] if config.token_env else None
    # Another address is another clone: a commit of the one says nothing of the other.
    clone = cache / f"{config.name}-{hashlib.sha256(config.url.encode()).hexdigest()[:8]}.git"
    return GitSource(config.name, config.url, ref=config.ref, cache=clone, default=default, token=token)


def _build_service(
    config: ConfluenceConfig | SharePointConfig | GoogleDriveConfig | NotionConfig, environment: Mapping[str, str]
) -> Source:
    if isinstance(config, ConfluenceConfig):
        http = HttpClient(config.url, authorise=authorise_with_password(config.email, environment[config.token_env]))
        return ConfluenceSource(config.name, http, spaces=config.spaces, owner=config.owner)
    if isinstance(config, SharePointConfig):
        origin = "/".join(config.api_url.split("/")[:3])
        token_url = f"{config.login_url.rstrip('/')}/{config.tenant}/oauth2/v2.0/token"
        secret = environment[config.secret_env]
        authorise = authorise_as_application(token_url, config.client_id, secret, _GRAPH_SCOPE.format(origin))
        http = HttpClient(config.api_url, authorise=authorise)
        return SharePointSource(config.name, http, drive=config.drive, owner=config.owner, labels=config.labels)
    if isinstance(config, GoogleDriveConfig):
        key = read_service_account(environment[config.key_env])
        http = HttpClient(config.api_url, authorise=authorise_as_service_account(key, subject=config.subject))
        return GoogleDriveSource(config.name, http, drive_id=config.drive_id, domain=config.domain)
    rule = AccessRule(config.allow, config.deny, config.owner)
    authorise = authorise_with_token(environment[config.token_env])
    http = HttpClient(config.api_url, authorise=authorise, headers={"Notion-Version": API_VERSION})
    return NotionSource(config.name, http, rule=rule)
