-- name: count
SELECT (SELECT count(*) FROM documents WHERE removed_at IS NULL)::integer AS documents,
       (SELECT count(*) FROM chunks JOIN documents ON documents.id = chunks.document_id
        WHERE documents.removed_at IS NULL)::integer AS chunks
