-- name: find_documents
SELECT documents.id, source, path, title, format, language, version, allow, deny, owner, chunk_count, changed_at,
       ingested_at
FROM visible_documents(%(principals)s::text[]) AS documents
ORDER BY source, path

-- name: get_place
SELECT documents.id AS document_id, documents.title, documents.path, documents.format, documents.changed_at, chunks.page,
       chunks.heading_path,
       substr(document_texts.text, greatest(chunks.start_offset - %(context)s, 0) + 1,
              least(chunks.start_offset, %(context)s)) AS text_before,
       chunks.text AS passage,
       substr(document_texts.text, chunks.end_offset + 1, %(context)s) AS text_after
FROM visible_documents(%(principals)s::text[]) AS documents
JOIN chunks ON chunks.document_id = documents.id
JOIN document_texts ON document_texts.document_id = documents.id
WHERE chunks.id = %(chunk_id)s

-- name: find_all_documents
SELECT id, source, path, title, format, language, version, allow, deny, owner, chunk_count, changed_at,
       ingested_at
FROM documents WHERE removed_at IS NULL
ORDER BY source, path

-- name: find_errors
SELECT source, path, reason, first_failed_at, last_failed_at FROM ingest_errors ORDER BY source, path

-- name: find_stored
SELECT documents.id, documents.source, documents.path, title, format, language, version, sha256, source_version, recipe,
       allow, deny, owner, chunk_count, changed_at, ingested_at, removed_at, withdrawn_at
FROM documents LEFT JOIN withdrawals USING (source, path)
WHERE documents.id > %(after_id)s AND (%(source)s::text IS NULL OR source = %(source)s)
  AND (removed_at IS NOT NULL) = %(hidden)s
ORDER BY documents.id
LIMIT %(limit)s

-- name: get_stored
SELECT documents.id, documents.source, documents.path, title, format, language, version, sha256, source_version, recipe,
       allow, deny, owner, chunk_count, changed_at, ingested_at, removed_at, withdrawn_at
FROM documents LEFT JOIN withdrawals USING (source, path)
WHERE documents.id = %(id)s

-- name: find_chunks
SELECT chunks.id, ordinal, chunks.version, heading_path, page, start_offset, end_offset, language, text,
       ARRAY(SELECT name FROM embeddings JOIN embedding_models ON embedding_models.id = model_id
             WHERE chunk_id = chunks.id ORDER BY name) AS models
FROM chunks WHERE document_id = %(id)s
ORDER BY ordinal

-- name: find_copies
SELECT copy.id, copy.source, copy.path, copy.title, copy.format, copy.language, copy.version, copy.allow, copy.deny,
       copy.owner, copy.chunk_count, copy.changed_at, copy.ingested_at
FROM documents JOIN documents AS copy ON copy.sha256 = documents.sha256 AND copy.id <> documents.id
WHERE documents.id = %(id)s AND documents.sha256 <> '' AND copy.removed_at IS NULL
ORDER BY copy.source, copy.path

-- name: remove_document
WITH hidden AS (
    UPDATE documents SET removed_at = now() WHERE id = %(id)s AND removed_at IS NULL RETURNING id, source, path
), withdrawn AS (
    INSERT INTO withdrawals (source, path) SELECT source, path FROM hidden ON CONFLICT DO NOTHING
)
SELECT id FROM hidden

-- name: forget_withdrawal
DELETE FROM withdrawals USING documents
WHERE documents.id = %(id)s AND withdrawals.source = documents.source AND withdrawals.path = documents.path

-- name: restore_document
-- Apart from the statement before: the trigger that hides what is withdrawn must see that it is not any more.
UPDATE documents SET removed_at = NULL
WHERE id = %(id)s
  AND (EXISTS (SELECT FROM source_entries AS entry
               WHERE entry.source = documents.source AND entry.path = documents.path)
       OR NOT EXISTS (SELECT FROM source_entries AS entry WHERE entry.source = documents.source))

-- name: erase_removed
DELETE FROM documents WHERE removed_at < %(before)s

-- name: sweep_postings
SELECT pack_postings(), sweep_postings(1)

-- name: forget_content
-- The next ingest finds another hash and reads the file again.
UPDATE documents SET sha256 = '' WHERE source = %(source)s

-- name: forget_documents
UPDATE documents SET sha256 = '' WHERE id = ANY(%(ids)s::bigint[])
