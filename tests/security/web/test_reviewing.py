"""A reviewer is shown, and judges, what comes from documents that they may read; an administrator everything."""

import pytest
from aiohttp.test_utils import TestClient

from bot.web.sessions import make_link
from core.database import Database
from learning.night import NightSettings
from learning.rehearse import rehearse
from tests.bot.web.site import Site
from tests.learning.log import log_corrected_night

HIDE = b"UPDATE documents SET allow = '{group:board}' WHERE path = 'annual leave level 1.md'"
EXERCISES = b"""
WITH made AS (
    INSERT INTO exercises (sha256, kind, origin, purpose, language, question, answer, clue, title, heading_path, shape)
    SELECT path, 'definition', 'structure', 'exam', 'en', 'What of ' || path || '?', 'a', 'c', 't', '', 's'
    FROM documents WHERE source = 'made' RETURNING id, sha256
)
INSERT INTO exercise_documents (exercise_id, document_id, version, is_clue)
SELECT made.id, documents.id, version, true FROM made JOIN documents ON path = made.sha256"""
DISPUTED = b"""INSERT INTO answer_labels (interaction_id, value, labeller) SELECT id, 1, 'test' FROM interactions"""


async def open_as(site: Site, role: str) -> TestClient:
    client = await site.new_client()
    link = await make_link(site.database, "", role=role, path="/console/pairs")  # pyright: ignore[reportArgumentType]
    assert (await client.get(link)).status == 200
    return client


@pytest.fixture
async def log(site: Site) -> Database:
    """Two answers that were corrected, their pairs and exercises; the documents of the first are the board's."""
    await log_corrected_night(site.database, 2)
    await rehearse(database=site.database, model_server=None, settings=NightSettings("base"), requested_by="test")
    await site.database.execute(EXERCISES)
    await site.database.execute(DISPUTED)
    await site.database.execute(HIDE)
    return site.database


@pytest.mark.parametrize(
    "page", ["/console/pairs?which=all", "/console/disagreements?which=settled", "/console/exercises?which=all"]
)
async def test_a_reviewer_is_shown_what_they_may_read(page: str, site: Site, log: Database) -> None:
    shown = {role: await (await (await open_as(site, role)).get(page)).text() for role in ("reviewer", "admin")}
    found = {role: ("annual leave" in text, "sick leave" in text) for role, text in shown.items()}
    assert found == {"reviewer": (False, True), "admin": (True, True)}


async def test_a_reviewer_judges_what_they_may_read(site: Site, log: Database) -> None:
    client = await open_as(site, "reviewer")
    paths = {
        "pairs": b"SELECT id FROM pairs ORDER BY question LIKE '%annual%' DESC",
        "answers": b"SELECT id FROM interactions ORDER BY question LIKE '%annual%' DESC",
        "exercises": b"SELECT id FROM exercises ORDER BY question LIKE '%annual%' DESC",
        "documents": b"SELECT id FROM documents WHERE source = 'made' ORDER BY path LIKE '%annual%' DESC",
    }
    acts = {"pairs": "review", "answers": "label", "exercises": "review", "documents": "check"}
    bodies = {"pairs": "approve", "answers": "approve", "exercises": "accept", "documents": ""}
    found: dict[str, list[int]] = {}
    for name, query in paths.items():
        for row in await log.fetch_dicts(query):
            body = {"verdict": bodies[name], "seconds": 3}
            response = await client.post(f"/console/api/{name}/{row['id']}/{acts[name]}", json=body)
            found.setdefault(name, []).append(response.status)
    assert found == {name: [404, 200] for name in paths}
