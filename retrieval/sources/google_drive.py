"""Google Drive: files of a drive by the changes feed of API v3, with the permissions of each file."""

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
from retrieval.sources.source import (
    Content,
    Cursor,
    CursorError,
    Entry,
    Failure,
    Listed,
    Removed,
    SourceAwayError,
)

_FOLDER = "application/vnd.google-apps.folder"
_GOOGLE = "application/vnd.google-apps."
_OFFICE = "application/vnd.openxmlformats-officedocument."
# Google's own documents have no bytes: they come in the format that keeps most of their structure.
_EXPORTS = {
    f"{_GOOGLE}document": (".docx", f"{_OFFICE}wordprocessingml.document"),
    f"{_GOOGLE}spreadsheet": (".xlsx", f"{_OFFICE}spreadsheetml.sheet"),
    f"{_GOOGLE}presentation": (".pdf", "application/pdf"),
}
_PERMISSION = "id,type,role,emailAddress,domain,deleted,expirationTime,allowFileDiscovery,view"
_FILE = (
    "id,name,mimeType,md5Checksum,version,modifiedTime,size,trashed,driveId,owners(emailAddress),"
    f"permissions({_PERMISSION})"
)
_MAX_PAGES = 100_000


class GoogleDriveSource:
    """Files that the account sees: of one shared drive, or of its own and those shared with it.

    Visible to people and groups by e-mail address, to everyone where a file is open to the company's own domain and
    can be found by search there. What only a link opens grants nothing here: nobody can know who has it.

    Args:
        http: at `https://www.googleapis.com/drive/v3`.
        drive_id: of a shared drive; None is what the account itself sees.
        domain: the company's, whose people are `everyone`.
    """

    kind = "google_drive"

    def __init__(self, name: str, http: HttpClient, *, drive_id: str | None = None, domain: str | None = None) -> None:
        self.name = name
        self._http = http
        self._domain = domain.lower() if domain else None
        self._scope: dict[str, Any] = {"supportsAllDrives": "true", "includeItemsFromAllDrives": "true"}
        if drive_id:
            self._scope["driveId"] = drive_id
        self._corpora = {"corpora": "drive"} if drive_id else {}

    async def list_entries(self, cursor: str | None) -> AsyncGenerator[Listed]:
        """Files, or what changed since the page token.

        A folder or drive that changed may have changed who reads what is in it: then all is listed.

        Raises:
            SourceAwayError: no answer, or the account is refused.
            CursorError: the token is too old, or a folder changed.
        """
        listed = self._list_changes(cursor) if cursor else self._list_all()
        async for one in listed:
            yield one

    async def fetch(self, entry: Entry, *, stored_version: str | None, max_bytes: int) -> Content | None:
        """The file, or the export of a document of Google's.

        Raises:
            InvalidInputError: too large, also for Google's export (10 MB), or not to be downloaded.
        """
        file_id, export = entry.handle["id"], entry.handle.get("export")
        path = (
            f"files/{file_id}/export?mimeType={export}"
            if export
            else f"files/{file_id}?alt=media&supportsAllDrives=true"
        )
        try:
            response = await self._http.get_bytes(path, max_bytes=max_bytes)
        except StatusError as error:
            if error.status in (400, 401, 403):
                raise InvalidInputError(f"Google does not hand it out (status {error.status})") from error
            raise
        return Content(response.content, version=entry.version)

    async def close(self) -> None:
        """Close connections."""
        await self._http.close()

    async def _list_all(self) -> AsyncGenerator[Listed]:
        # Before the files: what changes while they are listed comes again as a change, and nothing is missed.
        started = await self._http.get_json("changes/startPageToken", self._scope_of_changes())
        parameters = {**self._scope, **self._corpora, "q": "trashed = false", "pageSize": 1000}
        parameters["fields"] = f"nextPageToken,incompleteSearch,files({_FILE})"
        async for found in self._follow("files", parameters, "pageToken"):
            if found.get("incompleteSearch"):
                raise SourceAwayError("Google listed the files in part only")
            for file in found["files"]:
                if listed := await self._look_at(file):
                    yield listed
        yield Cursor(str(started["startPageToken"]))

    async def _list_changes(self, token: str) -> AsyncGenerator[Listed]:
        fields = f"nextPageToken,newStartPageToken,changes(changeType,removed,fileId,file({_FILE}))"
        parameters = {**self._scope, "pageToken": token, "pageSize": 1000, "fields": fields}
        try:
            async for found in self._follow("changes", parameters, "pageToken"):
                for change in found["changes"]:
                    async for one in self._look_at_change(change):
                        yield one
                if newest := found.get("newStartPageToken"):
                    yield Cursor(str(newest))
        except StatusError as error:
            if error.status in (400, 410):
                raise CursorError("the page token is too old") from error
            raise

    async def _look_at_change(self, change: Mapping[str, Any]) -> AsyncGenerator[Listed]:
        file: dict[str, Any] = change.get("file") or {}
        if change.get("changeType") == "drive" or file.get("mimeType") == _FOLDER:
            raise CursorError("a folder or drive changed")
        key = str(change.get("fileId", ""))
        if change.get("removed") or file.get("trashed"):
            yield Removed(key)
        elif listed := await self._look_at(file):
            if isinstance(listed, Failure):
                yield Removed(key)
            yield listed

    async def _look_at(self, file: Mapping[str, Any]) -> Listed | None:
        kind, name, key = str(file["mimeType"]), str(file["name"]), str(file["id"])
        if kind == _FOLDER or file.get("trashed"):
            return None
        suffix, export = _EXPORTS.get(kind, (find_suffix(name), None))
        path = build_path(name, key, suffix)
        if kind.startswith(_GOOGLE) and export is None:
            return Failure(path, f"expected a document, sheet or presentation of Google's, got {kind}")
        try:
            get_format(path)
        except InvalidInputError as error:
            return Failure(path, str(error))
        permissions = file["permissions"] if "permissions" in file else await self._read_permissions(key)
        allowed = {name for permission in permissions for name in _find_principals(permission, self._domain)}
        people: list[dict[str, Any]] = file.get("owners") or []
        owners = [name for one in people for name in user(one.get("emailAddress"))]
        return Entry(
            key,
            path,
            AccessRule(sorted(allowed), [], owners[0] if owners else None),
            version=str(file.get("md5Checksum") or file.get("modifiedTime") or file.get("version")),
            size_bytes=int(file["size"]) if "size" in file and export is None else None,
            handle={"id": key, "export": export},
            changed_at=read_date(file.get("modifiedTime")),
        )

    async def _read_permissions(self, file_id: str) -> list[dict[str, Any]]:
        """Of a file in a shared drive, or one that we may not share ourselves; refused means nobody."""
        parameters = {
            "supportsAllDrives": "true",
            "pageSize": 100,
            "fields": f"nextPageToken,permissions({_PERMISSION})",
        }
        permissions: list[dict[str, Any]] = []
        try:
            async for found in self._follow(f"files/{file_id}/permissions", parameters, "pageToken"):
                permissions += found["permissions"]
        except StatusError as error:
            if error.status != 403:
                raise
            return []
        return permissions

    def _scope_of_changes(self) -> dict[str, Any]:
        return {name: value for name, value in self._scope.items() if name != "includeItemsFromAllDrives"}

    async def _follow(self, path: str, parameters: Mapping[str, Any], token: str) -> AsyncGenerator[dict[str, Any]]:
        asked = dict(parameters)
        for _ in range(_MAX_PAGES):
            found = await self._http.get_json(path, asked)
            yield found
            if not found.get("nextPageToken"):
                return
            asked[token] = found["nextPageToken"]
        raise SourceAwayError("expected the last page of a list, got ever more")


def _find_principals(permission: Mapping[str, Any], domain: str | None) -> list[str]:
    if permission.get("deleted") or permission.get("view") or _is_expired(permission):
        return []
    kind, address = permission.get("type"), permission.get("emailAddress")
    if kind == "user":
        return user(address)
    if kind == "group":
        return group(str(address).lower()) if address else []
    # Without discovery it is a link, open to those who were sent it.
    if not permission.get("allowFileDiscovery"):
        return []
    is_own_domain = kind == "domain" and domain is not None and str(permission.get("domain", "")).lower() == domain
    return [EVERYONE] if kind == "anyone" or is_own_domain else []


def _is_expired(permission: Mapping[str, Any]) -> bool:
    """A date that cannot be read counts as past."""
    value = permission.get("expirationTime")
    if not value:
        return False
    try:
        return datetime.fromisoformat(str(value)) < datetime.now(UTC)
    except (ValueError, TypeError):
        return True
