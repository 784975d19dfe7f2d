-- name: measure_index
SELECT (SELECT count(*) FROM chunks) AS chunks,
       pg_total_relation_size('packed_postings') + pg_total_relation_size('fresh_postings')
           + pg_total_relation_size('terms') AS posting_bytes,
       pg_total_relation_size('embeddings') AS vector_bytes

-- name: find_all_chunks
-- For administrators: whoever may read them.
SELECT block, string_agg(places, ''::bytea) AS places, sum(term_count)::bigint AS term_count
FROM audience_blocks
GROUP BY block
ORDER BY block

-- name: draw_vectors
WITH drawn AS MATERIALIZED (
    SELECT chunk_id, model_id FROM embeddings
    WHERE model_id = (SELECT id FROM embedding_models WHERE name = %(model)s)
    ORDER BY random()
    LIMIT %(limit)s
)
SELECT model_id, vector::real[] AS vector FROM drawn JOIN embeddings USING (chunk_id, model_id)

-- name: find_nearest
SELECT chunk_id FROM embeddings
WHERE model_id = %(model_id)s AND chunk_id IN (
    SELECT chunks.id FROM chunks JOIN documents ON documents.id = document_id WHERE audience_id IS NOT NULL)
ORDER BY vector <#> %(vector)s::halfvec
LIMIT 10
