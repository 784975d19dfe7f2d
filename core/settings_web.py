"""Settings of the web: how people sign in, how long they stay, and how often they may ask."""

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings


class WebSettings(BaseSettings):
    """A part of `Settings`; a field's description is its line in docs/settings.md."""

    oidc_issuer: str | None = Field(None, description="Sign-in service (OpenID Connect): its issuer, to the letter")
    oidc_client_id: str | None = Field(None, description="Our client there")
    oidc_client_secret: SecretStr | None = Field(None, description="Its secret; also seals the refresh tokens we keep")
    oidc_scopes: str = Field("openid email profile", description="Asked for; with offline_access checked each minute")
    oidc_email_claim: str = Field("email", description="Claim with the person's address, as Slack and Teams know it")
    oidc_groups_claim: str = Field("groups", description="Claim with the person's groups")
    oidc_domains: str = Field("", description="Domains of addresses that may come in, comma-separated; empty: all")
    oidc_readers: str = Field("", description="Groups that may ask, comma-separated; empty: all who can sign in")
    oidc_reviewers: str = Field("", description="Groups that may also review pairs, exercises and disagreements")
    oidc_admins: str = Field("", description="Groups that may do everything in the console")
    session_idle_hours: float = Field(12, gt=0, le=24 * 30, description="A session ends after this without a request")
    session_hours: float = Field(168, gt=0, le=24 * 90, description="A session ends after this in any case")
    trusted_proxies: str = Field(
        "", description="Addresses or networks of proxies whose X-Forwarded-For is believed, comma-separated"
    )
    requests_per_second: float = Field(20, ge=0, description="Of one browser, on average; 0: no limit")
    requests_per_second_per_address: float = Field(200, ge=0, description="Of one address, on average; 0: no limit")
