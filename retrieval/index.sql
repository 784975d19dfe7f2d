-- name: lock
-- One writer at a time: two would wait for each other's new terms in opposite order.
SELECT pg_advisory_xact_lock(%(key)s)

-- name: register_model
INSERT INTO embedding_models (name, dimension) VALUES (%(name)s, %(dimension)s)
ON CONFLICT (name) DO UPDATE SET name = excluded.name
RETURNING id, dimension

-- name: put_document
INSERT INTO documents (source, path, title, format, language, sha256, recipe, allow, deny, owner, chunk_count, term_count)
VALUES (%(source)s, %(path)s, %(title)s, %(format)s, %(language)s, %(sha256)s, %(recipe)s, %(allow)s, %(deny)s,
        %(owner)s, %(chunk_count)s, %(term_count)s)
ON CONFLICT (source, path) DO UPDATE
SET title = excluded.title, format = excluded.format, language = excluded.language, sha256 = excluded.sha256,
    recipe = excluded.recipe, allow = excluded.allow, deny = excluded.deny, owner = excluded.owner,
    chunk_count = excluded.chunk_count, term_count = excluded.term_count,
    version = documents.version + 1, ingested_at = now(), removed_at = NULL
RETURNING id, version

-- name: put_text
INSERT INTO document_texts (document_id, text) VALUES (%(document_id)s, %(text)s)
ON CONFLICT (document_id) DO UPDATE SET text = excluded.text

-- name: keep_chunks
-- Chunks whose content did not change keep their id, vector and postings, and only move.
WITH wanted AS (
    SELECT *, row_number() OVER (PARTITION BY sha256 ORDER BY ordinal) AS copy
    FROM jsonb_to_recordset(%(chunks)s::jsonb)
        AS chunk(ordinal integer, page integer, start_offset integer, end_offset integer, sha256 text)
), stored AS (
    SELECT id, sha256, row_number() OVER (PARTITION BY sha256 ORDER BY ordinal) AS copy
    FROM chunks WHERE document_id = %(document_id)s
)
UPDATE chunks
SET version = %(version)s, ordinal = wanted.ordinal, page = wanted.page, start_offset = wanted.start_offset,
    end_offset = wanted.end_offset
FROM wanted JOIN stored USING (sha256, copy)
WHERE chunks.id = stored.id
RETURNING chunks.id, chunks.ordinal

-- name: delete_old_chunks
DELETE FROM chunks WHERE document_id = %(document_id)s AND version < %(version)s

-- name: put_chunks
INSERT INTO chunks (document_id, version, ordinal, heading_path, page, start_offset, end_offset, text, sha256, language,
                    length)
SELECT %(document_id)s, %(version)s, ordinal, heading_path, page, start_offset, end_offset, text, sha256, language, length
FROM jsonb_to_recordset(%(chunks)s::jsonb)
    AS chunk(ordinal integer, heading_path text, page integer, start_offset integer, end_offset integer, text text,
             sha256 text, language text, length integer)
RETURNING id, ordinal

-- name: put_terms
INSERT INTO terms (term)
SELECT term FROM unnest(%(terms)s::text[]) AS wanted(term)
WHERE NOT EXISTS (SELECT FROM terms WHERE terms.term = wanted.term)

-- name: put_postings
INSERT INTO postings (chunk_id, document_id, term_id, length, tf)
SELECT chunk_id, %(document_id)s, terms.id, length, tf
FROM unnest(%(chunk_ids)s::bigint[], %(lengths)s::integer[], %(terms)s::text[], %(tfs)s::smallint[])
    AS posting(chunk_id, length, term, tf)
JOIN terms USING (term)
ORDER BY terms.id, chunk_id

-- name: find_embedded
SELECT DISTINCT chunks.sha256
FROM chunks JOIN embeddings ON embeddings.chunk_id = chunks.id
WHERE chunks.sha256 = ANY(%(hashes)s::text[]) AND embeddings.model_id = %(model_id)s

-- name: put_embeddings
INSERT INTO embeddings (chunk_id, document_id, model_id, vector)
SELECT chunks.id, chunks.document_id, %(model_id)s, vector::halfvec
FROM unnest(%(hashes)s::text[], %(vectors)s::text[]) AS embedded(sha256, vector)
JOIN chunks USING (sha256)
ON CONFLICT DO NOTHING

-- name: copy_embeddings
-- The same text elsewhere has its vector already.
INSERT INTO embeddings (chunk_id, document_id, model_id, vector)
SELECT DISTINCT ON (chunks.id) chunks.id, chunks.document_id, %(model_id)s, embeddings.vector
FROM chunks
JOIN chunks AS twins ON twins.sha256 = chunks.sha256 AND twins.id <> chunks.id
JOIN embeddings ON embeddings.chunk_id = twins.id AND embeddings.model_id = %(model_id)s
WHERE chunks.document_id = %(document_id)s
ON CONFLICT DO NOTHING

-- name: find_unembedded
SELECT chunks.id, chunks.sha256, concat_ws(E'\n', nullif(documents.title, ''), nullif(chunks.heading_path, ''), chunks.text) AS text
FROM documents
JOIN chunks ON chunks.document_id = documents.id
WHERE documents.source = %(source)s AND documents.removed_at IS NULL AND chunks.language = ANY(%(languages)s::text[])
  AND chunks.id > %(after_id)s
  AND NOT EXISTS (SELECT FROM embeddings WHERE chunk_id = chunks.id AND model_id = %(model_id)s)
ORDER BY chunks.id
LIMIT %(limit)s
