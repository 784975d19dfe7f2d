"""SharePoint and OneDrive: files of a drive by Microsoft Graph's delta, with the permissions of each item."""

import logging
from collections.abc import AsyncGenerator, Mapping
from datetime import UTC, datetime
from typing import Any

from core.errors import InvalidInputError
from retrieval.dates import read_date
from retrieval.formats.registry import get_format
from retrieval.sources.access_rules import AccessRule
from retrieval.sources.http import HttpClient, StatusError
from retrieval.sources.names import build_path, find_suffix
from retrieval.sources.principals import EVERYONE, group, user
from retrieval.sources.source import Content, Cursor, CursorError, Entry, Failure, GoneError, Listed, Removed

log = logging.getLogger(__name__)

# Asks for changes of sharing as changes of items, and for removals that do not look like them.
_PREFER = "hierarchicalsharing, deltashowremovedasdeleted, deltatraversepermissiongaps, deltashowsharingchanges"
_READING = frozenset({"read", "write", "owner", "sp.full control", "sp.owner", "sp.member"})
# SharePoint's own names for all of the company: with guests, and without.
_ALL = ("c:0(.s|true", "spo-grid-all-users")


class SharePointSource:
    """Files of one drive: a library of a site, or a person's OneDrive.

    A file is visible to the people and groups that it is shared with by name, directly or through its folders. A link
    opens a file to whoever was sent it, which nobody can know: links for anybody or for the organisation grant nothing
    here. A group of Entra is `group:NAME` and `group:ID`. A SharePoint group is `group:SOURCE/NAME`: another site may
    have one of the same name.

    Args:
        http: at `https://graph.microsoft.com/v1.0`.
        labels: names of sensitivity labels by their id; where there are any, each file's label is asked for.
        drive: path of the drive, e.g. `drives/ID` or `users/kim@example.com/drive`; or `sites/HOST:/sites/hr:/drive`.
    """

    kind = "sharepoint"

    def __init__(
        self,
        name: str,
        http: HttpClient,
        *,
        drive: str,
        owner: str | None = None,
        labels: Mapping[str, str] | None = None,
    ) -> None:
        self._labels = {key.lower(): label for key, label in (labels or {}).items()}
        self.name = name
        self._http = http
        self._drive = drive
        self._owner = owner

    async def list_entries(self, cursor: str | None) -> AsyncGenerator[Listed]:
        """Files, or what changed since the delta link.

        A folder that was shared differently, moved or deleted changes files that delta does not name: then all is
        listed.

        Raises:
            SourceAwayError: no answer, or the application is refused.
            CursorError: the link is too old, or a folder changed.
        """
        drive_id = (await self._http.get_json(self._drive))["id"]
        address: str | None = cursor or f"drives/{drive_id}/root/delta"
        while address:
            found = await self._get_delta(address, is_first=cursor is None)
            for item in found["value"]:
                if cursor and "folder" in item and "root" not in item and _changes_below(item):
                    raise CursorError("a folder was shared differently, moved or deleted")
                listed = await self._look_at(item, str(drive_id), is_change=cursor is not None)
                if isinstance(listed, Failure) and cursor:
                    # Renamed to what is not read: what it was is gone.
                    yield Removed(str(item["id"]))
                if listed:
                    yield listed
            address = found.get("@odata.nextLink")
            if link := found.get("@odata.deltaLink"):
                yield Cursor(str(link))

    async def fetch(self, entry: Entry, *, stored_version: str | None, max_bytes: int) -> Content | None:
        """The file; Graph sends us on to where it lies, without our token."""
        path = f"drives/{entry.handle['drive']}/items/{entry.handle['item']}/content"
        try:
            response = await self._http.get_bytes(path, max_bytes=max_bytes)
        except StatusError as error:
            if error.status in (401, 403, 423):
                raise InvalidInputError(str(error)) from error
            raise
        label = await self._find_label(entry) if self._labels else ""
        return Content(response.content, version=entry.version, sensitivity=label)

    async def close(self) -> None:
        """Close connections."""
        await self._http.close()

    async def _find_label(self, entry: Entry) -> str:
        """The file's label by its name; one that has no name here by its id. None where Graph cannot tell."""
        path = f"drives/{entry.handle['drive']}/items/{entry.handle['item']}/extractSensitivityLabels"
        try:
            found: Mapping[str, Any] = await self._http.post_json(path, {})
        except (StatusError, GoneError) as error:
            log.info("no sensitivity label could be read", extra={"path": entry.path, "reason": str(error)})
            return ""
        labels: list[Mapping[str, Any]] = found.get("labels") or []
        ids = [str(one.get("sensitivityLabelId") or "") for one in labels]
        return next((self._labels.get(key.lower(), key) for key in ids if key), "")

    async def _get_delta(self, address: str, *, is_first: bool) -> dict[str, Any]:
        try:
            return await self._http.get_json(address, headers={"Prefer": _PREFER})
        except StatusError as error:
            if error.status == 410 and not is_first:
                raise CursorError("the delta link is too old") from error
            raise

    async def _look_at(self, item: Mapping[str, Any], drive_id: str, *, is_change: bool) -> Listed | None:
        key = str(item["id"])
        if "deleted" in item:
            return Removed(key)
        if "file" not in item:
            return None
        name = str(item["name"])
        path = build_path(name, key, find_suffix(name))
        try:
            get_format(path)
            allowed = await self._read_permissions(drive_id, key)
        except InvalidInputError as error:
            return Failure(path, str(error))
        except GoneError:
            return Removed(key) if is_change else None
        return Entry(
            key,
            path,
            AccessRule(allowed, [], self._owner),
            version=str(item.get("cTag") or item.get("eTag")),
            size_bytes=int(item.get("size", 0)),
            handle={"drive": drive_id, "item": key},
            changed_at=read_date(item.get("lastModifiedDateTime")),
        )

    async def _read_permissions(self, drive_id: str, item_id: str) -> list[str]:
        """Who may read, with what comes from the folders above; nobody where that is kept from us."""
        allowed: set[str] = set()
        address: str | None = f"drives/{drive_id}/items/{item_id}/permissions"
        while address:
            try:
                found = await self._http.get_json(address)
            except StatusError as error:
                if error.status != 403:
                    raise
                return []
            for permission in found["value"]:
                allowed |= _find_principals(permission, self.name)
            address = found.get("@odata.nextLink")
        return sorted(allowed)


def _changes_below(item: Mapping[str, Any]) -> bool:
    """Whether files below a folder may be read by others now. A new, empty folder counts too: it cannot be told."""
    return "deleted" in item or item.get("@microsoft.graph.sharedChanged") in ("True", True) or "shared" in item


def _find_principals(permission: Mapping[str, Any], source: str) -> set[str]:
    if not _READING & {str(role).lower() for role in permission.get("roles", [])} or _is_expired(permission):
        return set()
    link: dict[str, Any] = permission.get("link") or {}
    if link and link.get("scope") != "users":
        return set()
    granted: list[dict[str, Any]] = permission.get("grantedToIdentitiesV2") or []
    identities = [*granted, permission.get("grantedToV2") or {}]
    return {principal for identity in identities for principal in _to_principals(identity, source)}


def _to_principals(identity: Mapping[str, Any], source: str) -> list[str]:
    """Principals of one identity set: a person or group of Entra, or a group of the site; applications are nobody."""
    if "group" in identity:
        # By id too: a name may be given to another group, and Teams knows people's groups by id.
        return group(identity["group"].get("displayName")) + group(identity["group"].get("id"))
    if "user" in identity:
        return user(identity["user"].get("email"))
    if "siteGroup" in identity:
        name = identity["siteGroup"].get("displayName")
        return group(f"{source}/{name}") if name else []
    if "siteUser" in identity:
        login = str(identity["siteUser"].get("loginName") or "")
        if any(word in login for word in _ALL):
            return [EVERYONE]
        return user(identity["siteUser"].get("email"))
    return []


def _is_expired(permission: Mapping[str, Any]) -> bool:
    """A date that cannot be read counts as past."""
    value = permission.get("expirationDateTime")
    if not value or str(value).startswith("0001-"):
        return False
    try:
        return datetime.fromisoformat(str(value)) < datetime.now(UTC)
    except (ValueError, TypeError):
        return True
