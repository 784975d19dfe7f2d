-- name: count_pages
SELECT document_id, max(page) AS pages
FROM chunks
WHERE document_id = ANY(%(ids)s::bigint[]) AND page IS NOT NULL
GROUP BY document_id
