"""Confluence Cloud: pages of spaces by the REST API v2, with the rights of their space and of every page above them."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from core.errors import InvalidInputError
from retrieval.dates import read_date
from retrieval.sources.access_rules import AccessRule
from retrieval.sources.http import HttpClient, StatusError
from retrieval.sources.names import build_path, clean_name
from retrieval.sources.principals import group, intersect, user
from retrieval.sources.source import Content, Entry, GoneError, Listed, SourceAwayError

_PAGE = 250
_GROUP_PAGE = 200
_USERS_AT_ONCE = 100
# The v2 API has no restrictions and no members of groups; the first one still has.
_RESTRICTIONS = "rest/api/content/{}/restriction/byOperation/read"
_MEMBERS = "rest/api/group/{}/membersByGroupId"


class _Page(NamedTuple):
    title: str
    version: int
    changed_at: datetime | None


@dataclass(slots=True)
class _Space:
    """Pages, what is above each page and folder, and their own fences where they have one."""

    key: str
    fence: frozenset[str]
    pages: dict[str, _Page] = field(default_factory=dict[str, _Page])
    above: dict[str, str | None] = field(default_factory=dict[str, str | None])
    fences: dict[str, frozenset[str]] = field(default_factory=dict[str, frozenset[str]])


class ConfluenceSource:
    """Current pages of the spaces that are named, or of all that the token sees.

    A person may read a page where the space and every restriction on the page and above it lets them. Restrictions do
    not change a page's version, so each run asks for those of every page.

    Args:
        http: at `https://SITE.atlassian.net/wiki`.
        spaces: their keys; none is all.
        owner: whom to ask about the pages.
    """

    kind = "confluence"

    def __init__(self, name: str, http: HttpClient, *, spaces: Sequence[str], owner: str | None = None) -> None:
        self.name = name
        self._http = http
        self._spaces = list(spaces)
        self._owner = owner
        self._users: dict[str, str] = {}
        self._group_ids: dict[str, str] = {}
        self._members: dict[str, frozenset[str]] = {}

    async def list_entries(self, cursor: str | None) -> AsyncGenerator[Listed]:
        """All pages; one space's tree is in memory at a time.

        Raises:
            SourceAwayError: no answer, or the token is refused.
            InvalidInputError: a space does not exist.
        """
        self._users, self._group_ids, self._members = {}, {}, {}
        for space in await self._find_spaces():
            fence = await self._read_space_fence(str(space["id"]))
            tree = _Space(str(space["key"]), fence)
            await self._read_tree(str(space["id"]), tree)
            for page_id, page in tree.pages.items():
                allowed = await intersect(_find_fences(page_id, tree), self._expand)
                path = f"{clean_name(tree.key)}/{build_path(page.title, page_id, '.html')}"
                rule = AccessRule(sorted(allowed), [], self._owner)
                handle, version = {"id": page_id}, str(page.version)
                yield Entry(page_id, path, rule, version=version, handle=handle, changed_at=page.changed_at)

    async def fetch(self, entry: Entry, *, stored_version: str | None, max_bytes: int) -> Content | None:
        """The page as readers see it, macros resolved, under its title.

        Raises:
            GoneError: it was deleted.
            InvalidInputError: this page is refused, or too large.
        """
        try:
            page = await self._http.get_json(f"api/v2/pages/{entry.handle['id']}", {"body-format": "view"})
        except StatusError as error:
            if error.status in (401, 403):
                raise InvalidInputError(str(error)) from error
            raise
        if page.get("status") != "current":
            raise GoneError("the page was put in the trash or the archive")
        body = str(page["body"]["view"]["value"])
        content = f"<html><body><h1>{_escape(page['title'])}</h1>{body}</body></html>".encode()
        if len(content) > max_bytes:
            raise InvalidInputError(f"expected at most {max_bytes:,} bytes, got {len(content):,}; split the page")
        version = page["version"]
        return Content(content, version=str(version["number"]), changed_at=read_date(version.get("createdAt")))

    async def close(self) -> None:
        """Close connections."""
        await self._http.close()

    async def _find_spaces(self) -> list[dict[str, Any]]:
        parameters = {"limit": _PAGE} | ({"keys": ",".join(self._spaces)} if self._spaces else {})
        found = [space async for space in self._follow("api/v2/spaces", parameters)]
        if missing := sorted(set(self._spaces) - {str(space["key"]) for space in found}):
            raise InvalidInputError(f"expected the spaces {', '.join(missing)}, found none that the token may see")
        return found

    async def _read_space_fence(self, space_id: str) -> frozenset[str]:
        fence: set[str] = set()
        async for permission in self._follow(f"api/v2/spaces/{space_id}/permissions", {"limit": _PAGE}):
            operation = permission.get("operation", {})
            if (operation.get("key"), operation.get("targetType")) == ("read", "space"):
                principal = permission.get("principal", {})
                fence |= await self._to_principals(principal.get("type"), str(principal.get("id", "")))
        return frozenset(fence)

    async def _to_principals(self, kind: str | None, identifier: str) -> set[str]:
        """Roles and whatever else may come are nobody: who has them is not told."""
        if kind == "user":
            await self._look_up_users([identifier])
            return set(user(self._users.get(identifier)))
        if kind == "group":
            found = await self._http.get_json("rest/api/group/by-id", {"id": identifier})
            return set(self._name_group(found))
        return set()

    def _name_group(self, found: Mapping[str, Any]) -> list[str]:
        names = group(str(found.get("name") or ""))
        if names and found.get("id"):
            self._group_ids[names[0]] = str(found["id"])
        return names

    async def _read_tree(self, space_id: str, tree: _Space) -> None:
        parameters = {"limit": _PAGE, "status": "current", "depth": "all"}
        async for page in self._follow(f"api/v2/spaces/{space_id}/pages", parameters):
            page_id, version = str(page["id"]), page["version"]
            changed_at = read_date(version.get("createdAt"))
            tree.pages[page_id] = _Page(str(page["title"]), int(version["number"]), changed_at)
            tree.above[page_id] = _find_parent(page)
        waiting = list(tree.above)
        while waiting:
            node = waiting.pop()
            if node not in tree.above:
                # Folders stand between pages and are not in their list.
                tree.above[node] = await self._find_folder_parent(node)
            fence = await self._read_fence(node)
            if fence is not None:
                tree.fences[node] = fence
            parent = tree.above[node]
            if parent and parent not in tree.above and parent not in waiting:
                waiting.append(parent)

    async def _find_folder_parent(self, folder_id: str) -> str | None:
        """What is above a folder; itself where it is closed to us, which lets nobody through."""
        try:
            return _find_parent(await self._http.get_json(f"api/v2/folders/{folder_id}"))
        except (GoneError, StatusError):
            return folder_id

    async def _read_fence(self, page_id: str) -> frozenset[str] | None:
        """Whom a page's or folder's own restriction lets read; None where it has none."""
        fence: set[str] = set()
        is_open, start = True, 0
        while True:
            parameters = {"expand": "restrictions.user,restrictions.group", "start": start, "limit": _GROUP_PAGE}
            try:
                found = await self._http.get_json(_RESTRICTIONS.format(page_id), parameters)
            except GoneError:
                return frozenset()
            except StatusError as error:
                if error.status != 403:
                    raise
                # Who may read is kept from us: nobody, rather than all of the space.
                return frozenset()
            users = found["restrictions"]["user"]["results"]
            groups = found["restrictions"]["group"]["results"]
            is_open = is_open and not users and not groups
            identifiers = [str(one["accountId"]) for one in users]
            await self._look_up_users(identifiers)
            fence |= {principal for one in identifiers for principal in user(self._users.get(one))}
            fence |= {principal for one in groups for principal in self._name_group(one)}
            if max(len(users), len(groups)) < _GROUP_PAGE:
                return None if is_open else frozenset(fence)
            start += _GROUP_PAGE

    async def _expand(self, principal: str) -> frozenset[str]:
        """Members of a group that a fence named."""
        if principal not in self._members:
            identifiers: list[str] = []
            start = 0
            while True:
                path = _MEMBERS.format(self._group_ids[principal])
                found = await self._http.get_json(path, {"start": start, "limit": _GROUP_PAGE})
                identifiers += [str(one["accountId"]) for one in found["results"]]
                if len(found["results"]) < _GROUP_PAGE:
                    break
                start += _GROUP_PAGE
            await self._look_up_users(identifiers)
            people = {name for one in identifiers for name in user(self._users.get(one))}
            self._members[principal] = frozenset(people)
        return self._members[principal]

    async def _look_up_users(self, identifiers: Sequence[str]) -> None:
        """E-mail addresses; of people who hide theirs there is none, and they read nothing by name."""
        unknown = [one for one in dict.fromkeys(identifiers) if one not in self._users]
        for start in range(0, len(unknown), _USERS_AT_ONCE):
            asked = unknown[start : start + _USERS_AT_ONCE]
            found = await self._http.post_json("api/v2/users-bulk", {"accountIds": asked})
            self._users |= dict.fromkeys(asked, "")
            self._users |= {str(one["accountId"]): str(one.get("email") or "") for one in found["results"]}

    async def _follow(self, path: str, parameters: Mapping[str, Any]) -> AsyncGenerator[dict[str, Any]]:
        """Rows of every page of a list; `next` names the following one."""
        seen: set[str] = set()
        address: str | None = path
        asked: Mapping[str, Any] | None = parameters
        while address:
            if address in seen:
                raise SourceAwayError("expected the next page of a list, was sent round in a circle")
            seen.add(address)
            found = await self._http.get_json(address, asked)
            for row in found["results"]:
                yield row
            address, asked = found.get("_links", {}).get("next"), None


def _find_fences(page_id: str, tree: _Space) -> list[frozenset[str]]:
    """The space's fence, the page's own and those above it; below what is hidden from us, nobody is let through."""
    fences = [tree.fence]
    seen: set[str] = set()
    current: str | None = page_id
    while current:
        if current in seen:
            return [frozenset()]
        seen.add(current)
        if current in tree.fences:
            fences.append(tree.fences[current])
        current = tree.above[current]
    return fences


def _find_parent(page: Mapping[str, Any]) -> str | None:
    parent = page.get("parentId")
    return str(parent) if parent else None


def _escape(text: str) -> str:
    return str(text).replace("&", "&amp;").replace("<", "&lt;")
