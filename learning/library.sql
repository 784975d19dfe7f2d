-- name: find_documents
-- A withdrawn or removed document is known, but nobody may read it.
SELECT id, title, path, version, owner, allow, deny, removed_at IS NULL AS is_there
FROM documents WHERE id = ANY(%(ids)s) ORDER BY id

-- name: find_chunks
SELECT id, document_id FROM chunks WHERE id = ANY(%(ids)s) ORDER BY id

-- name: scan_chunks
SELECT chunks.id, document_id, title || E'\n' || heading_path || E'\n' || text AS text
FROM chunks JOIN documents ON documents.id = document_id
WHERE removed_at IS NULL
ORDER BY chunks.id
