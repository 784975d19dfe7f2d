-- name: begin
INSERT INTO sources (name, kind, run, began_at) VALUES (%(source)s, %(kind)s, 1, now())
ON CONFLICT (name) DO UPDATE
SET run = sources.run + 1, began_at = now(),
    -- One file on its way in does not make another kind of its folder.
    kind = CASE WHEN excluded.kind = 'file' THEN sources.kind ELSE excluded.kind END
RETURNING run, cursor, began_at, listed_in_full_at

-- name: put_entries
INSERT INTO source_entries (source, key, path, version, size_bytes, handle, allow, deny, owner, changed_at, seen_run)
SELECT %(source)s, key, path, version, size_bytes, handle, allow, deny, owner, changed_at, %(run)s
FROM jsonb_to_recordset(%(entries)s::jsonb)
    AS entry(key text, path text, version text, size_bytes bigint, handle jsonb, allow text[], deny text[], owner text,
             changed_at timestamptz)
ON CONFLICT (source, key) DO UPDATE
SET path = excluded.path, version = excluded.version, size_bytes = excluded.size_bytes, handle = excluded.handle,
    allow = excluded.allow, deny = excluded.deny, owner = excluded.owner, changed_at = excluded.changed_at,
    seen_run = excluded.seen_run

-- name: set_rules
UPDATE documents
SET allow = entry.allow, deny = entry.deny, owner = entry.owner
FROM jsonb_to_recordset(%(entries)s::jsonb) AS entry(path text, allow text[], deny text[], owner text)
WHERE documents.source = %(source)s AND documents.path = entry.path
  AND (documents.allow, documents.deny, documents.owner) IS DISTINCT FROM (entry.allow, entry.deny, entry.owner)

-- name: set_dates
-- Also of documents that were read before their date was kept. A source that says none takes none away.
UPDATE documents
SET source_changed_at = entry.changed_at
FROM jsonb_to_recordset(%(entries)s::jsonb) AS entry(path text, changed_at timestamptz)
WHERE documents.source = %(source)s AND documents.path = entry.path
  AND entry.changed_at <> coalesce(documents.source_changed_at, '-infinity')

-- name: drop_entries
DELETE FROM source_entries WHERE source = %(source)s AND key = ANY(%(keys)s::text[])

-- name: drop_unseen
-- After a full listing: all that it did not name, but for folders that could not be looked into.
DELETE FROM source_entries
WHERE source = %(source)s AND seen_run < %(run)s
  AND NOT EXISTS (SELECT FROM unnest(%(unread)s::text[]) AS prefix WHERE starts_with(path, prefix))

-- name: remove_gone
UPDATE documents SET removed_at = now()
WHERE source = %(source)s AND removed_at IS NULL
  AND NOT EXISTS (SELECT FROM source_entries AS entry WHERE entry.source = documents.source AND entry.path = documents.path)
  AND NOT EXISTS (SELECT FROM unnest(%(unread)s::text[]) AS prefix WHERE starts_with(documents.path, prefix))

-- name: count_pending
SELECT count(*) FILTER (WHERE pending) AS pending, count(*) FILTER (WHERE NOT pending) AS settled,
       count(*) FILTER (WHERE allow = '{}') AS hidden
FROM (
    SELECT entry.allow,
           documents.id IS NULL OR documents.removed_at IS NOT NULL OR entry.version IS NULL
           OR documents.source_version IS DISTINCT FROM entry.version OR documents.recipe <> ALL(%(recipes)s::text[])
           OR documents.sha256 = '' AS pending
    FROM source_entries AS entry
    LEFT JOIN documents ON documents.source = entry.source AND documents.path = entry.path
    LEFT JOIN withdrawals ON withdrawals.source = entry.source AND withdrawals.path = entry.path
    WHERE entry.source = %(source)s AND withdrawals.path IS NULL AND entry.seen_run >= %(since_run)s
) AS looked_at

-- name: find_pending
SELECT entry.key, entry.path, entry.version, entry.size_bytes, entry.handle, entry.allow, entry.deny, entry.owner,
       entry.changed_at, documents.sha256, documents.recipe, documents.source_version,
       documents.id IS NOT NULL AND documents.removed_at IS NULL AS visible
FROM source_entries AS entry
LEFT JOIN documents ON documents.source = entry.source AND documents.path = entry.path
WHERE entry.source = %(source)s AND (entry.path, entry.key) > (%(after_path)s, %(after_key)s)
  AND entry.seen_run >= %(since_run)s
  AND (documents.id IS NULL OR documents.removed_at IS NOT NULL OR entry.version IS NULL
       OR documents.source_version IS DISTINCT FROM entry.version OR documents.recipe <> ALL(%(recipes)s::text[])
       OR documents.sha256 = '')
  AND NOT EXISTS (SELECT FROM withdrawals WHERE withdrawals.source = entry.source AND withdrawals.path = entry.path)
ORDER BY entry.path, entry.key
LIMIT %(limit)s

-- name: settle
-- Read now, whether it changed or not; visible again if it was gone.
UPDATE documents
SET source_version = read.version, source_changed_at = coalesce(read.changed_at, source_changed_at), removed_at = NULL
FROM unnest(%(paths)s::text[], %(versions)s::text[], %(dates)s::timestamptz[]) AS read(path, version, changed_at)
WHERE documents.source = %(source)s AND documents.path = read.path

-- name: record_errors
INSERT INTO ingest_errors (source, path, reason)
SELECT DISTINCT ON (path) %(source)s, path, reason
FROM jsonb_to_recordset(%(errors)s::jsonb) AS failed(path text, reason text)
ON CONFLICT (source, path) DO UPDATE SET reason = excluded.reason, last_failed_at = clock_timestamp()

-- name: forget_errors
DELETE FROM ingest_errors
WHERE source = %(source)s
  AND (path = ANY(%(paths)s::text[]) OR %(with_parts)s AND split_part(path, '!/', 1) = ANY(%(paths)s::text[]))

-- name: forget_old_errors
-- A part of a file that did not change is as unreadable as before.
DELETE FROM ingest_errors AS failed
WHERE source = %(source)s AND last_failed_at < %(before)s
  AND NOT (position('!/' IN path) > 0 AND EXISTS (
      SELECT FROM documents
      WHERE documents.source = failed.source AND documents.path = split_part(failed.path, '!/', 1)
        AND removed_at IS NULL))

-- name: finish
UPDATE sources
SET finished_at = now(), error = %(error)s, counts = %(counts)s::jsonb
WHERE name = %(source)s

-- name: set_cursor
UPDATE sources
SET cursor = %(cursor)s, listed_in_full_at = CASE WHEN %(in_full)s THEN now() ELSE listed_in_full_at END
WHERE name = %(source)s

-- name: find_states
SELECT sources.name, kind, began_at, finished_at, listed_in_full_at, error, counts,
       (SELECT count(*) FROM documents WHERE source = sources.name AND removed_at IS NULL) AS documents,
       (SELECT count(*) FROM documents WHERE source = sources.name AND removed_at IS NULL AND allow = '{}') AS hidden,
       (SELECT count(*) FROM ingest_errors WHERE source = sources.name) AS failed
FROM sources ORDER BY sources.name

-- name: forget_source
WITH entries AS (
    DELETE FROM source_entries WHERE source = %(source)s
), errors AS (
    DELETE FROM ingest_errors WHERE source = %(source)s
), state AS (
    DELETE FROM sources WHERE name = %(source)s
)
UPDATE documents SET removed_at = now() WHERE source = %(source)s AND removed_at IS NULL
