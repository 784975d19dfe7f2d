-- name: find_known
SELECT path, sha256, recipe, allow, deny, owner, removed_at IS NOT NULL AS removed
FROM documents WHERE source = %(source)s

-- name: set_rules
UPDATE documents
SET allow = wanted.allow, deny = wanted.deny, owner = wanted.owner
FROM jsonb_to_recordset(%(rules)s::jsonb) AS wanted(path text, allow text[], deny text[], owner text)
WHERE documents.source = %(source)s AND documents.path = wanted.path

-- name: remove
UPDATE documents SET removed_at = now()
WHERE source = %(source)s AND path = ANY(%(paths)s::text[]) AND removed_at IS NULL

-- name: restore
UPDATE documents SET removed_at = NULL WHERE source = %(source)s AND path = %(path)s

-- name: record_errors
INSERT INTO ingest_errors (source, path, reason)
SELECT %(source)s, path, reason FROM jsonb_to_recordset(%(errors)s::jsonb) AS failed(path text, reason text)
ON CONFLICT (source, path) DO UPDATE SET reason = excluded.reason, last_failed_at = now()

-- name: forget_errors
DELETE FROM ingest_errors
-- A part of a file, `archive.zip!/broken.pdf`, is as unreadable as before where its file did not change.
WHERE source = %(source)s AND path <> ALL(%(failed)s::text[])
  AND (%(whole_source)s OR split_part(path, '!/', 1) = ANY(%(read)s::text[]))
  AND NOT (position('!/' IN path) > 0 AND split_part(path, '!/', 1) = ANY(%(unchanged)s::text[]))
