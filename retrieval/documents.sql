-- name: find_documents
SELECT documents.id, source, path, title, format, language, version, allow, deny, owner, chunk_count, ingested_at
FROM visible_documents(%(principals)s::text[]) AS documents
ORDER BY source, path

-- name: get_place
SELECT documents.id AS document_id, documents.title, documents.path, documents.format, chunks.page, chunks.heading_path,
       substr(document_texts.text, greatest(chunks.start_offset - %(context)s, 0) + 1,
              least(chunks.start_offset, %(context)s)) AS text_before,
       chunks.text AS passage,
       substr(document_texts.text, chunks.end_offset + 1, %(context)s) AS text_after
FROM visible_documents(%(principals)s::text[]) AS documents
JOIN chunks ON chunks.document_id = documents.id
JOIN document_texts ON document_texts.document_id = documents.id
WHERE chunks.id = %(chunk_id)s

-- name: find_all_documents
SELECT id, source, path, title, format, language, version, allow, deny, owner, chunk_count, ingested_at
FROM documents WHERE removed_at IS NULL
ORDER BY source, path

-- name: find_errors
SELECT source, path, reason, first_failed_at, last_failed_at FROM ingest_errors ORDER BY source, path

-- name: remove_document
UPDATE documents SET removed_at = now() WHERE id = %(id)s AND removed_at IS NULL RETURNING id

-- name: erase_removed
DELETE FROM documents WHERE removed_at < %(before)s

-- name: forget_content
-- The next ingest finds another hash and reads the file again.
UPDATE documents SET sha256 = '' WHERE source = %(source)s
