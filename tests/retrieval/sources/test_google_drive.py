"""Google Drive: changes, permissions, exports, and the service account's token."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from retrieval.documents import Documents
from retrieval.sources.google_drive import GoogleDriveSource
from retrieval.sources.http import HttpClient
from retrieval.sources.source import Entry, Failure, SourceAwayError
from retrieval.sources.tokens import authorise_as_service_account
from tests.fakes.google_drive import FakeGoogleDrive
from tests.retrieval.sources.conftest import Sync, list_all, list_dates, list_rules

LEAVE = b"# Leave\n\nEmployees get 23 days of leave.\n"
PEOPLE = {"type": "group", "role": "reader", "emailAddress": "People@Example.com"}


@pytest.fixture(scope="session")
def private_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


@pytest.fixture
async def service(private_key: rsa.RSAPrivateKey) -> AsyncIterator[FakeGoogleDrive]:
    public = private_key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    async with FakeGoogleDrive(authorization="Bearer none yet", public_key=public.decode()) as fake:
        fake.put("1", "leave.md", LEAVE, PEOPLE)
        yield fake


@pytest.fixture
async def source(service: FakeGoogleDrive, private_key: rsa.RSAPrivateKey) -> AsyncIterator[GoogleDriveSource]:
    pem = private_key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    key = {"client_email": "bot@project", "private_key": pem.decode(), "token_uri": f"{service.url}/token"}
    authorise = authorise_as_service_account(key, subject="admin@example.com")
    http = HttpClient(f"{service.url}/drive/v3", authorise=authorise, pause_seconds=0.001, attempts=3)
    source = GoogleDriveSource("drive", http, drive_id="d1", domain="example.com")
    yield source
    await source.close()


@pytest.mark.parametrize(
    ("permission", "readers"),
    [
        (PEOPLE, ["group:people@example.com"]),
        ({"type": "user", "role": "writer", "emailAddress": "Kim@example.com"}, ["user:kim@example.com"]),
        ({"type": "user", "role": "reader", "emailAddress": "kim@example.com", "deleted": True}, []),
        ({"type": "user", "role": "reader", "emailAddress": "kim@example.com", "view": "metadata"}, []),
        ({"type": "user", "role": "reader", "emailAddress": "k@x.y", "expirationTime": "2020-01-01T00:00:00Z"}, []),
        ({"type": "domain", "role": "reader", "domain": "Example.com", "allowFileDiscovery": True}, ["everyone"]),
        ({"type": "domain", "role": "reader", "domain": "example.com", "allowFileDiscovery": False}, []),
        ({"type": "domain", "role": "reader", "domain": "partner.com", "allowFileDiscovery": True}, []),
        ({"type": "anyone", "role": "reader", "allowFileDiscovery": False}, []),
        ({"type": "anyone", "role": "reader", "allowFileDiscovery": True}, ["everyone"]),
    ],
)
@pytest.mark.parametrize("hide_permissions", [False, True])
async def test_each_kind_of_permission_becomes_who_may_read(
    service: FakeGoogleDrive,
    source: GoogleDriveSource,
    permission: dict[str, Any],
    readers: list[str],
    hide_permissions: bool,
) -> None:
    service.files["1"]["permissions"] = [permission]
    service.hide_permissions = hide_permissions
    assert await list_rules(source) == {"1": readers}


async def test_changes_read_only_what_changed(
    service: FakeGoogleDrive, source: GoogleDriveSource, run_sync: Sync, documents: Documents
) -> None:
    for number in range(2, 6):
        service.put(str(number), "page.md", b"# Page %d\n\nSome words.\n" % number, PEOPLE)
    first = await run_sync(source)
    service.put("3", "page.md", b"# Page 3\n\nOther words.\n", PEOPLE)
    service.remove("4")
    before = service.count("alt=media")
    second = await run_sync(source)
    assert (first.added, second.updated, second.removed, second.unchanged) == (5, 1, 1, 3)
    assert service.count("alt=media") - before == 1
    assert {one.owner for one in await documents.find_all()} == {"user:owner@example.com"}


async def test_a_changed_permission_counts_without_reading(
    service: FakeGoogleDrive, source: GoogleDriveSource, run_sync: Sync, documents: Documents
) -> None:
    await run_sync(source)
    service.files["1"]["permissions"] = []
    service.changes.append({"changeType": "file", "fileId": "1", "removed": False, "file": service.files["1"]})
    await run_sync(source)
    assert (await documents.find(["group:people@example.com"]), service.count("alt=media")) == ([], 1)


@pytest.mark.parametrize(
    "change",
    [
        {"changeType": "drive", "driveId": "d1"},
        {
            "changeType": "file",
            "fileId": "f",
            "file": {"id": "f", "name": "HR", "mimeType": "application/vnd.google-apps.folder"},
        },
    ],
)
async def test_a_changed_folder_or_drive_lists_everything_again(
    service: FakeGoogleDrive, source: GoogleDriveSource, run_sync: Sync, documents: Documents, change: dict[str, Any]
) -> None:
    await run_sync(source)
    service.files["1"]["permissions"] = []
    service.changes.append(change)
    await run_sync(source)
    assert await documents.find(["group:people@example.com"]) == []


async def test_a_page_token_that_is_too_old_lists_everything_again(
    service: FakeGoogleDrive, source: GoogleDriveSource, run_sync: Sync
) -> None:
    await run_sync(source)
    service.put("2", "travel.md", LEAVE, PEOPLE)
    service.oldest = 100
    assert (await run_sync(source)).added == 1


async def test_documents_of_googles_come_as_exports(service: FakeGoogleDrive, source: GoogleDriveSource) -> None:
    service.put("2", "Plan", b"PK", PEOPLE, kind="application/vnd.google-apps.document")
    service.put("3", "Form", b"", PEOPLE, kind="application/vnd.google-apps.form")
    _, document, form, _ = await list_all(source)
    assert isinstance(document, Entry)
    assert isinstance(form, Failure)
    fetched = await source.fetch(document, stored_version=None, max_bytes=100)
    assert (document.path.endswith(".docx"), fetched and fetched.content) == (True, b"PK")


async def test_the_account_stands_for_whom_it_was_told(service: FakeGoogleDrive, source: GoogleDriveSource) -> None:
    await list_all(source)
    assert service.subjects == ["admin@example.com"]


async def test_googles_own_way_to_say_slower_is_waited_for(service: FakeGoogleDrive, source: GoogleDriveSource) -> None:
    service.limits = ["0"]
    assert await list_rules(source) == {"1": ["group:people@example.com"]}


async def test_an_outage_while_listing_removes_nothing(
    service: FakeGoogleDrive, source: GoogleDriveSource, run_sync: Sync, documents: Documents
) -> None:
    await run_sync(source)
    service.outages = {"/changes": [500] * 3}
    report = await run_sync(source, in_full=True)
    assert (report.removed, len(report.away), len(await documents.find_all())) == (0, 1, 1)


async def test_a_key_that_is_refused_is_said(service: FakeGoogleDrive, source: GoogleDriveSource) -> None:
    other = rsa.generate_private_key(65537, 2048).public_key()
    service.public_key = other.public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    ).decode()
    with pytest.raises(SourceAwayError, match="invalid_grant"):
        await list_all(source)


async def test_a_file_has_the_date_of_its_last_change(service: FakeGoogleDrive, source: GoogleDriveSource) -> None:
    assert await list_dates(source) == {"1": datetime(2026, 1, 1, tzinfo=UTC)}
