"""Microsoft Graph's directory: who is an employee, in which groups, and whether a team is open to all.

Asked with the registration's own secret, which an admin of the tenant must have granted `User.Read.All` and
`GroupMember.Read.All`. What is refused is unknown; what is away is asked again.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

from bot.teams.clouds import Cloud
from core.directory import Person, PersonKind
from retrieval.sources.http import HttpClient, StatusError
from retrieval.sources.principals import group, user
from retrieval.sources.source import GoneError
from retrieval.sources.tokens import authorise_as_application

_VERSION = "v1.0"
# An answer waits for these, so patience ends soon; the inbox asks again.
ATTEMPTS, PAUSE_SECONDS, MAX_WAIT_SECONDS, TIMEOUT_SECONDS = 3, 0.5, 15.0, 10.0

_PERSON = "id,userType,accountEnabled,mail,userPrincipalName,preferredLanguage"


class Graph:
    """The directory of one tenant.

    Args:
        http: at Graph, its version included.
        tenant: whose people are asked for; of others Graph knows nothing.
    """

    def __init__(self, http: HttpClient, *, tenant: str) -> None:
        self._http = http
        self.tenant = tenant

    async def find_person(self, account: str, name: str) -> Person | None:
        """A person by the directory's id; None where there is none.

        Raises:
            SourceAwayError: refused (a `StatusError`), or away.
        """
        try:
            told = await self._http.get_json(f"users/{account}?$select={_PERSON}")
        except GoneError:
            return None
        return to_person(told, name)

    async def find_groups(self, account: str) -> list[str]:
        """Principals of all groups that a person is in, through other groups too: by id, for names can be taken.

        Raises:
            SourceAwayError: refused (a `StatusError`), or away.
        """
        found: Mapping[str, Any] = await self._http.post_json(
            f"users/{account}/getMemberGroups", {"securityEnabledOnly": False}
        )
        return [name for identifier in found["value"] for name in group(str(identifier))]

    async def is_open(self, team: str) -> bool:
        """Whether any employee may join a team, and read it; so too where Graph does not tell.

        Args:
            team: the id of the team's group.

        Raises:
            SourceAwayError: away.
        """
        try:
            told: Mapping[str, Any] = await self._http.get_json(f"groups/{team}?$select=visibility")
        except (StatusError, GoneError):
            return True
        return told.get("visibility") not in ("Private", "HiddenMembership")

    async def check(self) -> str | None:
        """What is wrong, in words; None where people and groups can be read."""
        try:
            first: Mapping[str, Any] = await self._http.get_json("users?$top=1&$select=id")
            for one in first["value"]:
                await self.find_person(one["id"], "")
                await self.find_groups(one["id"])
        except StatusError as error:
            if error.status != HTTPStatus.FORBIDDEN:
                return f"Microsoft Graph: {error}"
            return (
                "Microsoft Graph refuses: grant the registration User.Read.All and GroupMember.Read.All (application)"
            )
        except Exception as error:
            return f"Microsoft Graph: {error}"
        return None

    async def close(self) -> None:
        """Close connections."""
        await self._http.close()


def build_graph(cloud: Cloud, *, tenant: str, app_id: str, password: str) -> Graph:
    """Graph for a registration; no request is made before the first question."""
    token_url = f"{cloud.login_url}/{tenant}/oauth2/v2.0/token"
    authorise = authorise_as_application(token_url, app_id, password, f"{cloud.graph_url}/.default")
    http = HttpClient(
        f"{cloud.graph_url}/{_VERSION}",
        authorise=authorise,
        attempts=ATTEMPTS,
        pause_seconds=PAUSE_SECONDS,
        max_wait_seconds=MAX_WAIT_SECONDS,
        timeout_seconds=TIMEOUT_SECONDS,
    )
    return Graph(http, tenant=tenant)


def to_person(told: Mapping[str, Any], name: str) -> Person:
    """A user object of Graph's; whoever is not said to be a member is a guest."""
    kind: PersonKind = "member" if told.get("userType") == "Member" else "guest"
    if told.get("accountEnabled") is False:
        kind = "gone"
    return Person(
        person=name,
        kind=kind,
        changed_at=datetime.now(UTC),
        email=told.get("mail") or told.get("userPrincipalName"),
        locale=told.get("preferredLanguage"),
    )


def name_by_mail(person: Person) -> list[str]:
    """What documents name an employee by, where their source knows people by e-mail."""
    return user(person.email) if person.kind == "member" else []
