"""SharePoint: delta, permissions of each item, tokens, and downloads without our token."""

from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from core.database import Database
from retrieval.documents import Documents
from retrieval.sources.http import HttpClient
from retrieval.sources.sharepoint import SharePointSource
from retrieval.sources.source import CursorError, SourceAwayError
from retrieval.sources.tokens import authorise_as_application
from tests.fakes.graph import FakeGraph, FakeStorage
from tests.retrieval.sources.conftest import Sync, find_cursor, list_all, list_dates, list_rules

LEAVE = b"# Leave\n\nEmployees get 23 days of leave.\n"
PEOPLE: dict[str, Any] = {"roles": ["read"], "grantedToV2": {"group": {"id": "g", "displayName": "people"}}}


def grant(**identity: Any) -> dict[str, Any]:
    return {"roles": ["read"], "grantedToV2": identity}


@pytest.fixture
async def service() -> AsyncIterator[FakeGraph]:
    async with FakeStorage() as storage, FakeGraph(authorization="Bearer none yet", storage=storage) as fake:
        fake.put("1", "leave.md", LEAVE, PEOPLE)
        yield fake


def build(service: FakeGraph, secret: str = "secret-1", labels: Mapping[str, str] | None = None) -> SharePointSource:
    authorise = authorise_as_application(f"{service.url}/tenant-1/oauth2/v2.0/token", "client", secret, "scope")
    http = HttpClient(f"{service.url}/v1.0", authorise=authorise, pause_seconds=0.001, attempts=3)
    return SharePointSource("hr", http, drive="sites/contoso.example:/sites/hr:/drive", labels=labels)


@pytest.fixture
async def source(service: FakeGraph) -> AsyncIterator[SharePointSource]:
    source = build(service)
    yield source
    await source.close()


@pytest.mark.parametrize(
    ("permission", "readers"),
    [
        (PEOPLE, ["group:g", "group:people"]),
        (grant(user={"id": "u", "email": "Kim@Example.com"}), ["user:kim@example.com"]),
        (grant(user={"id": "u", "displayName": "Kim"}), []),
        (grant(siteGroup={"id": "5", "displayName": "HR Members"}), ["group:hr/HR Members"]),
        (grant(siteUser={"loginName": "c:0-.f|rolemanager|spo-grid-all-users/tenant-1"}), ["everyone"]),
        (grant(application={"id": "a"}), []),
        ({"roles": ["read"], "link": {"scope": "organization", "type": "view"}}, []),
        ({"roles": ["read"], "link": {"scope": "anonymous", "type": "view"}}, []),
        (
            {
                "roles": ["write"],
                "link": {"scope": "users", "type": "edit"},
                "grantedToIdentitiesV2": [{"user": {"email": "lee@example.com"}}],
            },
            ["user:lee@example.com"],
        ),
        ({**PEOPLE, "roles": ["restrictedView"]}, []),
        ({**PEOPLE, "expirationDateTime": "2020-01-01T00:00:00Z"}, []),
        ({**PEOPLE, "expirationDateTime": "2999-01-01T00:00:00Z"}, ["group:g", "group:people"]),
    ],
)
async def test_each_kind_of_permission_becomes_who_may_read(
    service: FakeGraph, source: SharePointSource, permission: dict[str, Any], readers: list[str]
) -> None:
    service.permissions["1"] = [permission]
    assert await list_rules(source) == {"1": readers}


async def test_a_delta_reads_only_what_changed(
    service: FakeGraph, source: SharePointSource, run_sync: Sync, documents: Documents
) -> None:
    for number in range(2, 6):
        service.put(str(number), f"{number}.md", b"# Page %d\n\nSome words.\n" % number, PEOPLE)
    first = await run_sync(source)
    service.put("3", "renamed.md", b"# Page 3\n\nOther words.\n", PEOPLE)
    service.change({"id": "4", "deleted": {"state": "deleted"}})
    before = service.count("/permissions")
    second = await run_sync(source)
    assert (first.added, second.added, second.removed, second.unchanged) == (5, 1, 2, 3)
    assert service.count("/permissions") - before == 1
    assert sorted(one.path.split("~")[0] for one in await documents.find_all()) == ["2", "5", "leave", "renamed"]


async def test_a_changed_permission_counts_without_reading(
    service: FakeGraph, source: SharePointSource, run_sync: Sync, documents: Documents
) -> None:
    await run_sync(source)
    service.permissions["1"] = [grant(user={"email": "kim@example.com"})]
    service.change({**service.items[0], "@microsoft.graph.sharedChanged": "True"})
    await run_sync(source)
    assert (await documents.find(["group:people"]), service.count("/content")) == ([], 1)


async def test_a_file_renamed_to_what_is_not_read_is_gone(
    service: FakeGraph, source: SharePointSource, run_sync: Sync, documents: Documents
) -> None:
    await run_sync(source)
    service.put("1", "leave.exe", LEAVE, PEOPLE)
    report = await run_sync(source)
    assert (report.removed, report.failed_count, await documents.find_all()) == (1, 1, [])


async def test_a_folder_shared_differently_lists_everything_again(
    service: FakeGraph, source: SharePointSource, run_sync: Sync, documents: Documents
) -> None:
    await run_sync(source)
    service.permissions["1"] = []
    service.change({"id": "f", "folder": {}, "@microsoft.graph.sharedChanged": "True"})
    await run_sync(source)
    assert await documents.find(["group:people"]) == []


async def test_a_delta_link_that_is_too_old_lists_everything_again(
    service: FakeGraph, source: SharePointSource, run_sync: Sync
) -> None:
    cursor = find_cursor(await list_all(source))
    await run_sync(source)
    service.put("2", "travel.md", LEAVE, PEOPLE)
    service.oldest = 100
    with pytest.raises(CursorError):
        await list_all(source, cursor)
    assert (await run_sync(source)).added == 1


async def test_a_token_is_renewed_when_it_is_refused(service: FakeGraph, source: SharePointSource) -> None:
    await list_all(source)
    service.authorization = "Bearer revoked"
    assert await list_rules(source) == {"1": ["group:g", "group:people"]}
    assert service.tokens == 2


async def test_a_token_is_renewed_before_it_expires(service: FakeGraph, source: SharePointSource) -> None:
    service.expires_in = 60
    await list_all(source)
    assert service.tokens > 1


async def test_a_wrong_secret_is_said_and_not_shown(service: FakeGraph) -> None:
    source = build(service, "secret-2")
    with pytest.raises(SourceAwayError, match=r"the credentials were refused \(invalid_client\)") as caught:
        await list_all(source)
    await source.close()
    assert "secret-2" not in str(caught.value)


async def test_a_download_elsewhere_does_not_see_our_token(
    service: FakeGraph, source: SharePointSource, run_sync: Sync
) -> None:
    assert (await run_sync(source)).added == 1
    assert service.storage is not None
    assert ["Authorization" in headers for headers in service.storage.headers] == [False]


async def test_an_outage_half_way_goes_on_where_it_was(
    service: FakeGraph, source: SharePointSource, run_sync: Sync, documents: Documents
) -> None:
    for number in range(2, 6):
        service.put(str(number), f"{number}.md", b"# Page %d\n\nSome words.\n" % number, PEOPLE)
    service.outages = {"/items/3/content": [503] * 3, "/items/4/content": [503] * 3, "/items/5/content": [503] * 3}
    first = await run_sync(source)
    second = await run_sync(source)
    assert (first.added, len(first.away), second.added, second.unchanged) == (1, 1, 4, 1)


async def test_labels_are_asked_for_where_they_have_names(
    service: FakeGraph, run_sync: Sync, documents: Documents, database: Database
) -> None:
    source = build(service, labels={"L-1": "Confidential"})
    service.put("2", "other.md", b"---\nsensitivity: Public\n---\n# Other\n\nWords.\n", PEOPLE)
    service.put("3", "third.md", b"# Third\n\nWords.\n", PEOPLE)
    service.labels = {"1": "l-1", "3": "l-9"}
    service.outages["items/3/extract"] = [423]
    await run_sync(source)
    await source.close()
    rows = await database.fetch_dicts(b"SELECT path, sensitivity FROM documents ORDER BY path")
    assert [row["sensitivity"] for row in rows] == ["Confidential", "Public", None]


async def test_labels_without_names_are_not_asked_for(
    service: FakeGraph, source: SharePointSource, run_sync: Sync
) -> None:
    service.labels = {"1": "l-1"}
    await run_sync(source)
    assert service.count("extractSensitivityLabels") == 0


async def test_a_file_has_the_date_of_its_last_change(service: FakeGraph, source: SharePointSource) -> None:
    assert await list_dates(source) == {"1": datetime(2026, 1, 1, tzinfo=UTC)}
