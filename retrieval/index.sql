-- name: register_model
-- The first one is active; a later one when it is filled in (`model_change.sql`).
WITH registered AS (
    INSERT INTO embedding_models (name, dimension, languages) VALUES (%(name)s, %(dimension)s, %(languages)s)
    ON CONFLICT (name) DO UPDATE SET languages = excluded.languages
    RETURNING id, dimension
), activated AS (
    INSERT INTO active_embedding_model (model_id) SELECT id FROM registered ON CONFLICT DO NOTHING
)
SELECT id, dimension FROM registered

-- name: put_documents
WITH wanted AS MATERIALIZED (
    SELECT * FROM jsonb_to_recordset(%(documents)s::jsonb)
        AS document(number integer, source text, path text, title text, format text, language text, sha256 text,
                    recipe text, source_version text, allow text[], deny text[], owner text, sensitivity text,
                    chunk_count integer, term_count bigint, text text, source_changed_at timestamptz,
                    own_changed_at timestamptz)
), former AS (
    SELECT wanted.number, documents.recipe FROM wanted JOIN documents USING (source, path)
), stored AS (
    INSERT INTO documents (source, path, title, format, language, sha256, recipe, source_version, allow, deny, owner,
                           sensitivity, chunk_count, term_count, source_changed_at, own_changed_at)
    SELECT source, path, title, format, language, sha256, recipe, source_version, allow, deny, owner, sensitivity,
           chunk_count, term_count, source_changed_at, own_changed_at
    FROM wanted
    ON CONFLICT (source, path) DO UPDATE
    SET title = excluded.title, format = excluded.format, language = excluded.language, sha256 = excluded.sha256,
        recipe = excluded.recipe, source_version = excluded.source_version, allow = excluded.allow,
        deny = excluded.deny, owner = excluded.owner, sensitivity = excluded.sensitivity,
        chunk_count = excluded.chunk_count, term_count = excluded.term_count, version = documents.version + 1,
        ingested_at = now(), removed_at = NULL, source_changed_at = excluded.source_changed_at,
        own_changed_at = excluded.own_changed_at
    RETURNING id, version, source, path
), texts AS (
    INSERT INTO document_texts (document_id, text)
    SELECT stored.id, wanted.text FROM wanted JOIN stored USING (source, path)
    ON CONFLICT (document_id) DO UPDATE SET text = excluded.text
)
SELECT stored.id, stored.version, coalesce(former.recipe = wanted.recipe, false) AS same_recipe
FROM wanted JOIN stored USING (source, path) LEFT JOIN former USING (number)
ORDER BY wanted.number

-- name: put_chunks
-- Chunks whose content did not change keep their id, vector and postings, and only move; not those of another recipe,
-- whose postings may be out of date. Returned are the new ones.
WITH wanted AS MATERIALIZED (
    SELECT *, row_number() OVER (PARTITION BY document_id, sha256 ORDER BY ordinal) AS copy
    FROM jsonb_to_recordset(%(chunks)s::jsonb)
        AS chunk(document_id bigint, version integer, same_recipe boolean, ordinal integer, heading_path text,
                 page integer, start_offset integer, end_offset integer, text text, sha256 text, language text,
                 length integer)
), stored AS (
    SELECT id, document_id, sha256, row_number() OVER (PARTITION BY document_id, sha256 ORDER BY ordinal) AS copy
    FROM chunks WHERE document_id IN (SELECT document_id FROM wanted WHERE same_recipe)
), kept AS (
    UPDATE chunks
    SET version = wanted.version, ordinal = wanted.ordinal, page = wanted.page, start_offset = wanted.start_offset,
        end_offset = wanted.end_offset
    FROM wanted JOIN stored USING (document_id, sha256, copy)
    WHERE chunks.id = stored.id
    RETURNING chunks.document_id, chunks.ordinal
)
INSERT INTO chunks (document_id, version, ordinal, heading_path, page, start_offset, end_offset, text, sha256, language,
                    length)
SELECT document_id, version, ordinal, heading_path, page, start_offset, end_offset, text, sha256, language, length
FROM wanted
WHERE (document_id, ordinal) NOT IN (SELECT document_id, ordinal FROM kept)
ORDER BY document_id, ordinal
RETURNING id, document_id, ordinal

-- name: put_postings
WITH wanted AS MATERIALIZED (
    SELECT * FROM unnest(%(terms)s::text[], %(blocks)s::integer[], %(entries)s::bytea[]) AS posting(term, block, entries)
), added AS (
    INSERT INTO terms (term)
    SELECT DISTINCT term FROM wanted WHERE NOT EXISTS (SELECT FROM terms WHERE terms.term = wanted.term)
    RETURNING id, term
)
INSERT INTO fresh_postings (term_id, block, entries)
SELECT coalesce(terms.id, added.id), block, entries
FROM wanted LEFT JOIN terms USING (term) LEFT JOIN added USING (term)

-- name: pack_postings
SELECT pack_postings(), sweep_postings(%(least_gone)s)

-- name: find_embedded
SELECT DISTINCT chunks.sha256
FROM chunks JOIN embeddings ON embeddings.chunk_id = chunks.id
WHERE chunks.sha256 = ANY(%(hashes)s::text[]) AND embeddings.model_id = %(model_id)s

-- name: put_embeddings
INSERT INTO embeddings (chunk_id, document_id, model_id, vector)
SELECT chunks.id, chunks.document_id, %(model_id)s, vector::halfvec
FROM unnest(%(hashes)s::text[], %(vectors)s::text[]) AS embedded(sha256, vector)
JOIN chunks USING (sha256)
ORDER BY chunks.id
ON CONFLICT DO NOTHING

-- name: copy_embeddings
-- The same text elsewhere has its vector already.
INSERT INTO embeddings (chunk_id, document_id, model_id, vector)
SELECT DISTINCT ON (chunks.id) chunks.id, chunks.document_id, %(model_id)s, embeddings.vector
FROM chunks
JOIN chunks AS twins ON twins.sha256 = chunks.sha256 AND twins.id <> chunks.id
JOIN embeddings ON embeddings.chunk_id = twins.id AND embeddings.model_id = %(model_id)s
WHERE chunks.document_id = ANY(%(document_ids)s::bigint[])
ON CONFLICT DO NOTHING

-- name: delete_old_chunks
DELETE FROM chunks
USING unnest(%(document_ids)s::bigint[], %(versions)s::integer[]) AS document(id, version)
WHERE chunks.document_id = document.id AND chunks.version < document.version

-- name: find_unembedded
SELECT chunks.id, chunks.sha256, concat_ws(E'\n', nullif(documents.title, ''), nullif(chunks.heading_path, ''), chunks.text) AS text
FROM documents
JOIN chunks ON chunks.document_id = documents.id
WHERE (%(source)s::text IS NULL OR documents.source = %(source)s) AND documents.removed_at IS NULL
  AND chunks.language = ANY(%(languages)s::text[]) AND chunks.id > %(after_id)s
  AND NOT EXISTS (SELECT FROM embeddings WHERE chunk_id = chunks.id AND model_id = %(model_id)s)
ORDER BY chunks.id
LIMIT %(limit)s
