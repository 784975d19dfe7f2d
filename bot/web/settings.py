"""What the web takes from the settings, as values."""

from typing import Any
from urllib.parse import urlsplit

from bot.web.identity import Rules
from bot.web.oidc import Provider
from bot.web.rates import Rates, read_networks
from bot.web.sign_in import BACK_PATH, SignInSettings
from core.settings import Settings, read_list


def read_web_settings(settings: Settings) -> dict[str, Any]:
    """Arguments of `build_app`."""
    is_https = urlsplit(settings.base_url).scheme == "https"
    return {
        "sign_in": read_sign_in(settings),
        "admin_token": settings.admin_token.get_secret_value() if settings.admin_token else None,
        "session_idle_seconds": settings.session_idle_hours * 3600,
        "session_seconds": settings.session_hours * 3600,
        "rates": Rates(
            per_browser=settings.requests_per_second,
            per_address=settings.requests_per_second_per_address,
            proxies=read_networks(read_list(settings.trusted_proxies)),
            is_https=is_https,
        ),
    }


def read_sign_in(settings: Settings) -> SignInSettings | None:
    """The sign-in service; None where there is none."""
    if not (settings.oidc_issuer and settings.oidc_client_id and settings.oidc_client_secret):
        return None
    secret = settings.oidc_client_secret.get_secret_value()
    provider = Provider(
        issuer=settings.oidc_issuer,
        client_id=settings.oidc_client_id,
        client_secret=secret,
        scopes=settings.oidc_scopes,
        redirect_uri=settings.base_url + BACK_PATH,
    )
    rules = Rules(
        email_claim=settings.oidc_email_claim,
        groups_claim=settings.oidc_groups_claim,
        domains=frozenset(domain.lower() for domain in read_list(settings.oidc_domains)),
        readers=frozenset(read_list(settings.oidc_readers)),
        reviewers=frozenset(read_list(settings.oidc_reviewers)),
        admins=frozenset(read_list(settings.oidc_admins)),
    )
    return SignInSettings(provider, rules, secret)
