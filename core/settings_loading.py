"""Settings read once at the start: each by itself, then together; all mistakes come in one report."""

import ipaddress
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from pydantic import ValidationError

from core.errors import SettingsError
from core.settings import Settings, is_loopback, read_list


def load_settings(**overrides: Any) -> Settings:
    """Read the environment and `.env`.

    Raises:
        SettingsError: every mistake at once, by the name of its variable, without any secret's value.
    """
    try:
        settings = Settings(**overrides)
    except ValidationError as error:
        mistakes = {str(entry["loc"][0]): entry["msg"].removeprefix("Value error, ") for entry in error.errors()}
        listed = [f"{name.upper()}: {message}" for name, message in mistakes.items()]
        # What is well-formed is looked at too, with defaults in place of the rest.
        defaults = {name: Settings.model_fields[name].default for name in mistakes}
        raise SettingsError(listed + _check_together(Settings(**{**overrides, **defaults}))) from error
    if together := _check_together(settings):
        raise SettingsError(together)
    return settings


def _check_together(settings: Settings) -> list[str]:
    mistakes: list[str] = []
    if settings.database_url and not settings.database_url.get_secret_value().startswith("postgresql://"):
        mistakes.append("DATABASE_URL: expected it to start with postgresql://")
    for name in ("model_url", "public_url", "slack_api_url", "teams_service_url", "oidc_issuer"):
        value = getattr(settings, name)
        if value and not value.startswith(("http://", "https://")):
            mistakes.append(f"{name.upper()}: expected http:// or https://, got {value!r}")
    mistakes += _check_complete({"MODEL_URL": settings.model_url, "MODEL_NAME": settings.model_name})
    commands = {"MODEL_STOP_COMMAND": settings.model_stop_command, "MODEL_START_COMMAND": settings.model_start_command}
    mistakes += _check_complete(commands)
    mistakes += _check_web(settings)
    mistakes += _check_slack(settings)
    mistakes += _check_teams(settings)
    return mistakes


def _check_complete(values: Mapping[str, object | None]) -> list[str]:
    """A group is set in full or not at all."""
    present = [name for name, value in values.items() if value is not None]
    missing = [name for name, value in values.items() if value is None]
    return [f"{name}: needed because {present[0]} is set" for name in missing] if present else []


def _check_web(settings: Settings) -> list[str]:
    values: dict[str, object | None] = {
        "OIDC_ISSUER": settings.oidc_issuer,
        "OIDC_CLIENT_ID": settings.oidc_client_id,
        "OIDC_CLIENT_SECRET": settings.oidc_client_secret,
    }
    mistakes = _check_complete(values)
    for proxy in read_list(settings.trusted_proxies):
        try:
            ipaddress.ip_network(proxy, strict=False)
        except ValueError:
            mistakes.append(f"TRUSTED_PROXIES: expected addresses or networks such as 10.0.0.0/8, got {proxy!r}")
    if settings.oidc_issuer:
        if settings.public_url is None and not is_loopback(settings.host):
            mistakes.append(
                "PUBLIC_URL: needed because OIDC_ISSUER is set; the sign-in service sends people back there"
            )
        for name, url in (("OIDC_ISSUER", settings.oidc_issuer), ("PUBLIC_URL", settings.base_url)):
            parts = urlsplit(url)
            if parts.scheme != "https" and not is_loopback(parts.hostname or ""):
                mistakes.append(f"{name}: expected https://, for people sign in there, got {url!r}")
    return mistakes


def _check_slack(settings: Settings) -> list[str]:
    transport = settings.slack_app_token or settings.slack_signing_secret
    by_oauth = {
        "SLACK_CLIENT_ID": settings.slack_client_id,
        "SLACK_CLIENT_SECRET": settings.slack_client_secret,
        "SLACK_TOKEN_KEY": settings.slack_token_key,
    }
    if missing := _check_complete(by_oauth):
        return missing
    name = "SLACK_CLIENT_ID" if settings.slack_client_id else "SLACK_BOT_TOKEN"
    if settings.slack_bot_token and settings.slack_client_id:
        return ["SLACK_BOT_TOKEN: expected it or SLACK_CLIENT_ID, got both"]
    if settings.has_slack and not transport:
        return [f"SLACK_APP_TOKEN (Socket Mode) or SLACK_SIGNING_SECRET (HTTP): needed because {name} is set"]
    if transport and not settings.has_slack:
        return ["SLACK_BOT_TOKEN: needed because other SLACK_ variables are set"]
    return [*_check_token_key(settings), *_check_channels(settings)]


def _check_token_key(settings: Settings) -> list[str]:
    keys = read_list(settings.slack_token_key.get_secret_value()) if settings.slack_token_key else ["0" * 43 + "="]
    if keys and all(re.fullmatch(r"[A-Za-z0-9_-]{43}=", key) for key in keys):
        return []
    return ["SLACK_TOKEN_KEY: expected keys as `nightbake slack key` prints them, comma-separated"]


def _check_channels(settings: Settings) -> list[str]:
    mistakes: list[str] = []
    channel = settings.slack_expert_channel
    if channel and not re.fullmatch(r"[CG][A-Z0-9]{2,}", channel):
        mistakes.append(f"SLACK_EXPERT_CHANNEL: expected a channel's id such as C0123ABCD, got {channel!r}")
    admins = settings.slack_admin_channel
    if admins and not re.fullmatch(r"([TE][A-Z0-9]{2,}/)?[CG][A-Z0-9]{2,}", admins):
        mistakes.append(f"SLACK_ADMIN_CHANNEL: expected C0123ABCD or T0123ABCD/C0123ABCD, got {admins!r}")
    return mistakes


def _check_teams(settings: Settings) -> list[str]:
    values: dict[str, object | None] = {
        "TEAMS_APP_ID": settings.teams_app_id,
        "TEAMS_APP_PASSWORD": settings.teams_app_password,
        "TEAMS_TENANT_ID": settings.teams_tenant_id,
    }
    mistakes = _check_complete(values)
    if settings.teams_tenant_id and not read_list(settings.teams_tenant_id):
        mistakes.append(f"TEAMS_TENANT_ID: expected the id of a tenant, got {settings.teams_tenant_id!r}")
    if settings.teams_graph and not settings.teams_app_id:
        mistakes.append("TEAMS_APP_ID: needed because TEAMS_GRAPH is set")
    if settings.teams_cloud == "china" and settings.teams_admin_chat and not settings.teams_service_url:
        mistakes.append("TEAMS_SERVICE_URL: needed because TEAMS_ADMIN_CHAT is set and TEAMS_CLOUD is china")
    if settings.teams_without_authentication and settings.teams_app_id:
        mistakes.append("TEAMS_WITHOUT_AUTHENTICATION: expected it unset because TEAMS_APP_ID is set")
    if settings.teams_without_authentication and not is_loopback(settings.host):
        mistakes.append(f"HOST: Teams without authentication needs a loopback address, got {settings.host!r}")
    channel = settings.teams_expert_channel
    if channel and not re.fullmatch(r"19:[^\s;|]+@thread\.(tacv2|skype)", channel):
        mistakes.append(f"TEAMS_EXPERT_CHANNEL: expected a channel's id such as 19:…@thread.tacv2, got {channel!r}")
    admins = settings.teams_admin_chat
    if admins and not re.fullmatch(r"19:[^\s;|]+@thread\.(tacv2|skype|v2)", admins):
        mistakes.append(f"TEAMS_ADMIN_CHAT: expected a chat's id such as 19:…@thread.v2, got {admins!r}")
    if admins and not read_list(settings.teams_admins):
        mistakes.append("TEAMS_ADMINS: needed because TEAMS_ADMIN_CHAT is set")
    return mistakes
