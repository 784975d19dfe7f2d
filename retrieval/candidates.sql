-- name: find_candidates
-- Both sides read only what is visible; BM25's statistics are counted over the same documents.
WITH visible AS MATERIALIZED (
    SELECT id, chunk_count, term_count FROM visible_documents(%(principals)s::text[])
), statistics AS MATERIALIZED (
    SELECT sum(chunk_count)::float8 AS chunks, sum(term_count)::float8 / nullif(sum(chunk_count), 0) AS mean_length
    FROM visible
), matches AS MATERIALIZED (
    SELECT postings.term_id, postings.chunk_id, postings.tf, postings.length
    FROM terms
    JOIN postings ON postings.term_id = terms.id
    JOIN visible ON visible.id = postings.document_id
    WHERE terms.term = ANY(%(terms)s::text[])
), rarity AS (
    SELECT term_id, ln(1 + (min(chunks) - count(*) + 0.5) / (count(*) + 0.5)) AS idf
    FROM matches CROSS JOIN statistics
    GROUP BY term_id
), lexical AS MATERIALIZED (
    SELECT chunk_id,
           sum(idf * tf * (%(k1)s::float8 + 1)
               / (tf + %(k1)s::float8 * (1 - %(b)s::float8 + %(b)s::float8 * length / mean_length))) AS score
    FROM matches JOIN rarity USING (term_id) CROSS JOIN statistics
    GROUP BY chunk_id
), dense AS MATERIALIZED (
    SELECT embeddings.chunk_id, -(embeddings.vector <#> %(vector)s::halfvec) AS score
    FROM embeddings
    JOIN visible ON visible.id = embeddings.document_id
    WHERE embeddings.model_id = %(model_id)s AND %(vector)s IS NOT NULL
), chosen AS (
    (SELECT chunk_id FROM lexical ORDER BY score DESC, chunk_id LIMIT %(limit)s)
    UNION
    (SELECT chunk_id FROM dense ORDER BY score DESC, chunk_id LIMIT %(limit)s)
)
SELECT chunk_id, dense.score AS dense_score, coalesce(lexical.score, 0) AS lexical_score
FROM chosen
LEFT JOIN dense USING (chunk_id)
LEFT JOIN lexical USING (chunk_id)
ORDER BY chunk_id
