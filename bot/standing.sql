-- name: count_documents
SELECT count(*)::integer AS count FROM visible_documents(%(principals)s::text[])

-- name: find_serving
SELECT name AS adapter, switched_at FROM serving
