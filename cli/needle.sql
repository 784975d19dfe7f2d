-- name: find_hay
SELECT documents.title, chunks.heading_path, chunks.text
FROM visible_documents(%(principals)s::text[]) AS documents
JOIN chunks ON chunks.document_id = documents.id
WHERE chunks.language = %(language)s AND chunks.text ~ '\w'
ORDER BY md5(chunks.id::text || %(seed)s::text)
LIMIT %(limit)s
