-- name: fetch_passages
-- Behind the filter once more: between ranking and reading, a document may have been hidden or cut anew.
SELECT ranked.number::integer AS number, chunks.id AS chunk_id, documents.id AS document_id,
       chunks.version AS document_version, documents.title, chunks.heading_path, documents.path, chunks.page,
       chunks.start_offset AS start, chunks.end_offset AS end, chunks.text, chunks.language, ranked.score,
       ranked.dense_score, ranked.lexical_score, documents.allow
FROM unnest(%(chunk_ids)s::bigint[], %(scores)s::float8[], %(dense_scores)s::float8[], %(lexical_scores)s::float8[])
    WITH ORDINALITY AS ranked(chunk_id, score, dense_score, lexical_score, number)
JOIN chunks ON chunks.id = ranked.chunk_id
JOIN visible_documents(%(principals)s::text[]) AS documents ON documents.id = chunks.document_id
ORDER BY ranked.number
