-- name: find_passages
-- The filter again: between the two statements somebody may have lost the right to read.
SELECT wanted.number::integer AS number, chunks.id AS chunk_id, documents.id AS document_id,
       chunks.version AS document_version, documents.title, chunks.heading_path, documents.path, chunks.page,
       chunks.start_offset AS start, chunks.end_offset AS end, chunks.text, chunks.language, wanted.score,
       wanted.dense_score, wanted.lexical_score, documents.allow, documents.sensitivity
FROM unnest(%(chunk_ids)s::bigint[], %(scores)s::float8[], %(dense_scores)s::float8[], %(lexical_scores)s::float8[])
    WITH ORDINALITY AS wanted(chunk_id, score, dense_score, lexical_score, number)
JOIN chunks ON chunks.id = wanted.chunk_id
JOIN visible_documents(%(principals)s::text[]) AS documents ON documents.id = chunks.document_id
ORDER BY wanted.number
