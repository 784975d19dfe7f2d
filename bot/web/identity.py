"""Who a token's claims say somebody is, and what that makes of them here. Pure."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from bot.web.sessions import Role

MOST_GROUPS = 1_000
LONGEST_NAME = 200
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Rules:
    """Which claims are read, and which groups have which role.

    Attributes:
        email_claim, groups_claim: a name, or a path through objects such as `realm_access.roles`.
        domains: of addresses that may come in; empty: all.
        readers: groups that may ask; empty: everybody who can sign in.
    """

    email_claim: str = "email"
    groups_claim: str = "groups"
    domains: frozenset[str] = frozenset()
    readers: frozenset[str] = frozenset()
    reviewers: frozenset[str] = frozenset()
    admins: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Identity:
    """A person of the sign-in service.

    Attributes:
        email: lower case; None where the service does not vouch for one.
        principals: that the groups are in documents, and the address.
        role: None: may not come in.
    """

    person: str
    email: str | None
    name: str
    principals: tuple[str, ...]
    role: Role | None


def read_identity(issuer: str, claims: Mapping[str, Any], rules: Rules) -> Identity:
    """The person of claims that hold."""
    groups = _read_groups(_find(claims, rules.groups_claim))
    email = _read_email(claims, rules.email_claim)
    name = claims.get("name")
    shown = name if isinstance(name, str) and name.strip() and name.isprintable() else email or "?"
    principals = [f"oidc:{group}" for group in groups]
    # By the id that Entra's groups have in documents too; a name somebody else could take.
    principals += [f"group:{group.lower()}" for group in groups if _UUID.fullmatch(group)]
    principals += [f"user:{email}"] if email else []
    return Identity(
        person=name_person(issuer, str(claims["sub"])),
        email=email,
        name=shown.strip()[:LONGEST_NAME],
        principals=tuple(dict.fromkeys(principals)),
        role=_judge(frozenset(groups), email, rules),
    )


def name_person(issuer: str, subject: str) -> str:
    """By what never changes hands: addresses do."""
    return f"user:oidc-{hashlib.sha256(f'{issuer} {subject}'.encode('utf-8', 'backslashreplace')).hexdigest()[:32]}"


def _judge(groups: frozenset[str], email: str | None, rules: Rules) -> Role | None:
    if rules.domains and (email or "").rpartition("@")[2] not in rules.domains:
        return None
    if groups & rules.admins:
        return "admin"
    if groups & rules.reviewers:
        return "reviewer"
    return "reader" if not rules.readers or groups & rules.readers else None


def _find(claims: Mapping[str, Any], path: str) -> object:
    if path in claims:
        return claims[path]
    found: Any = claims
    for name in path.split("."):
        found = found.get(name) if hasattr(found, "get") else None
    return found


def _read_groups(value: object) -> list[str]:
    """Names as they were given; what is no list of names is nobody's group."""
    listed = [value] if isinstance(value, str) else cast(list[object], value) if isinstance(value, list) else []
    return [one for one in listed[:MOST_GROUPS] if isinstance(one, str) and _is_name(one)]


def _read_email(claims: Mapping[str, Any], path: str) -> str | None:
    """The address, unless the service says that it has not verified it."""
    value = _find(claims, path)
    if claims.get("email_verified") in (False, "false") or not isinstance(value, str):
        return None
    address = value.strip().lower()
    return address if re.fullmatch(r"[^\s@:]+@[^\s@:]+", address) and _is_name(address) else None


def _is_name(text: str) -> bool:
    """Whether the database takes it and people can read it."""
    return 0 < len(text) <= LONGEST_NAME and text.isprintable()
