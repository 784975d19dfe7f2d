"""Documents and their passages in the tables, as little of them as the night looks at."""

from core.database import Database

ADD_DOCUMENT = b"""
INSERT INTO documents (source, path, title, format, language, sha256, recipe, version, allow, deny, owner)
VALUES ('/docs', %(path)s, %(title)s, 'markdown', 'en', '', '', %(version)s, %(allow)s, '{}', %(owner)s) RETURNING id
"""
ADD_CHUNK = b"""
INSERT INTO chunks (document_id, version, ordinal, heading_path, start_offset, end_offset, text, sha256,
                    language, length)
VALUES (%(document_id)s, 1, 0, '', 0, 1, %(text)s, '', 'en', 1) RETURNING id
"""


async def add_passage(
    database: Database, title: str, text: str, *, allow: tuple[str, ...] = ("everyone",), version: int = 1
) -> tuple[int, int]:
    """A document of one passage; its id and the passage's."""
    values = {"path": f"{title}.md", "title": title, "version": version, "allow": list(allow), "owner": f"user:{title}"}
    document_id = (await database.fetch_dicts(ADD_DOCUMENT, values))[0]["id"]
    chunk = await database.fetch_dicts(ADD_CHUNK, {"document_id": document_id, "text": text})
    return document_id, chunk[0]["id"]
