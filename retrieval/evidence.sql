-- name: find_chunks
SELECT 1 AS number, chunks.id AS chunk_id, documents.id AS document_id, chunks.version AS document_version,
       documents.title, chunks.heading_path, documents.path, chunks.page, chunks.start_offset AS start,
       chunks.end_offset AS end, chunks.text, chunks.language, 1.0::float8 AS score, 0.0::float8 AS dense_score,
       0.0::float8 AS lexical_score, documents.allow, documents.sensitivity
FROM visible_documents(%(principals)s::text[]) AS documents JOIN chunks ON chunks.document_id = documents.id
WHERE documents.path = ANY(%(paths)s::text[]) OR chunks.id = ANY(%(chunk_ids)s::bigint[])
ORDER BY documents.id, chunks.ordinal
LIMIT %(limit)s

-- name: find_known
-- Without the filter, and so nothing but that it is there.
SELECT id
FROM documents
WHERE removed_at IS NULL
      AND (path = ANY(%(paths)s::text[])
           OR id IN (SELECT document_id FROM chunks WHERE id = ANY(%(chunk_ids)s::bigint[])))

-- name: find_lost
SELECT path FROM unnest(%(paths)s::text[]) AS path
WHERE NOT EXISTS (SELECT FROM documents WHERE documents.path = path.path AND removed_at IS NULL)

-- name: find_paths
SELECT DISTINCT path FROM visible_documents(%(principals)s::text[]) WHERE path = ANY(%(paths)s::text[])
