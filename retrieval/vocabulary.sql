-- name: find_texts
-- A few visible chunks, to show a term as it is written there.
SELECT documents.title || ' ' || chunks.heading_path || ' ' || chunks.text AS text
FROM visible_documents(%(principals)s::text[]) AS documents
JOIN chunks ON chunks.document_id = documents.id
WHERE chunks.id = ANY(%(chunk_ids)s::bigint[])
ORDER BY chunks.id
