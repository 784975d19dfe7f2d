"""Microsoft's clouds: a tenant lives in one of them, with servers of its own and tokens that count in no other.

Source: the sovereign clouds of Microsoft's Teams SDK (`CloudEnvironment`), "Microsoft Graph national cloud
deployments", "Send proactive messages".
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Cloud:
    """Where the servers of one cloud are; addresses without a slash at their end, but for `service_url`.

    Attributes:
        login_url: gives tokens, for Graph and for the Bot Connector.
        graph_url: without the version.
        issuer: of the Bot Connector's tokens, and what our own are made for.
        openid_url: names the keys that they are signed with.
        client_url: where people open Teams.
        service_url: the Bot Connector before anybody wrote to us; None where Microsoft names none.
    """

    login_url: str
    graph_url: str
    issuer: str
    openid_url: str
    client_url: str
    service_url: str | None


PUBLIC = Cloud(
    login_url="https://login.microsoftonline.com",
    graph_url="https://graph.microsoft.com",
    issuer="https://api.botframework.com",
    openid_url="https://login.botframework.com/v1/.well-known/openidconfiguration",
    client_url="https://teams.microsoft.com",
    service_url="https://smba.trafficmanager.net/teams/",
)

# By TEAMS_CLOUD. GCC, without High, is the public cloud but for its `service_url`.
CLOUDS = {
    "public": PUBLIC,
    "gcch": Cloud(
        login_url="https://login.microsoftonline.us",
        graph_url="https://graph.microsoft.us",
        issuer="https://api.botframework.us",
        openid_url="https://login.botframework.azure.us/v1/.well-known/openidconfiguration",
        client_url="https://gov.teams.microsoft.us",
        service_url="https://smba.infra.gov.teams.microsoft.us/teams/",
    ),
    "dod": Cloud(
        login_url="https://login.microsoftonline.us",
        graph_url="https://dod-graph.microsoft.us",
        issuer="https://api.botframework.us",
        openid_url="https://login.botframework.azure.us/v1/.well-known/openidconfiguration",
        client_url="https://dod.teams.microsoft.us",
        service_url="https://smba.infra.dod.teams.microsoft.us/teams/",
    ),
    "china": Cloud(
        login_url="https://login.partner.microsoftonline.cn",
        graph_url="https://microsoftgraph.chinacloudapi.cn",
        issuer="https://api.botframework.azure.cn",
        openid_url="https://login.botframework.azure.cn/v1/.well-known/openidconfiguration",
        client_url="https://teams.microsoftonline.cn",
        service_url=None,
    ),
}
