-- name: search
-- Both legs read only what is visible; BM25's statistics are counted over the same documents.
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
    WHERE terms.term = ANY(%(terms)s::text[]) AND %(weight)s::float8 < 1
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
    WHERE embeddings.model_id = %(model_id)s AND %(weight)s::float8 > 0
), lexical_range AS (
    SELECT coalesce(max(score), 0) AS top FROM lexical
), dense_range AS (
    SELECT min(score) AS bottom, max(score) AS top FROM dense
), candidates AS (
    (SELECT chunk_id FROM lexical ORDER BY score DESC, chunk_id LIMIT %(candidates)s)
    UNION
    (SELECT chunk_id FROM dense ORDER BY score DESC, chunk_id LIMIT %(candidates)s)
), scored AS (
    SELECT chunk_id,
           coalesce(dense.score, 0) AS dense_score,
           coalesce(lexical.score, 0) AS lexical_score,
           %(weight)s::float8 * coalesce((dense.score - dense_range.bottom)
                                         / nullif(dense_range.top - dense_range.bottom, 0),
                                         (dense.score IS NOT NULL)::integer)
           + (1 - %(weight)s::float8) * coalesce(lexical.score / nullif(lexical_range.top, 0), 0) AS score
    FROM candidates
    LEFT JOIN dense USING (chunk_id)
    LEFT JOIN lexical USING (chunk_id)
    CROSS JOIN dense_range CROSS JOIN lexical_range
), best AS (
    SELECT * FROM scored ORDER BY score DESC, chunk_id LIMIT %(limit)s
)
SELECT row_number() OVER (ORDER BY best.score DESC, best.chunk_id)::integer AS number,
       chunks.id AS chunk_id, documents.id AS document_id, chunks.version AS document_version, documents.title,
       chunks.heading_path, documents.path, chunks.page, chunks.start_offset AS start, chunks.end_offset AS end,
       chunks.text, chunks.language, best.score, best.dense_score, best.lexical_score, documents.allow
FROM best
JOIN chunks ON chunks.id = best.chunk_id
JOIN documents ON documents.id = chunks.document_id
ORDER BY number

-- name: find_model
SELECT id FROM embedding_models WHERE name = %(name)s

-- name: find_passages
-- The filter again: between the two statements somebody may have lost the right to read.
SELECT wanted.number::integer AS number, chunks.id AS chunk_id, documents.id AS document_id,
       chunks.version AS document_version, documents.title, chunks.heading_path, documents.path, chunks.page,
       chunks.start_offset AS start, chunks.end_offset AS end, chunks.text, chunks.language, wanted.score,
       wanted.dense_score, wanted.lexical_score, documents.allow
FROM unnest(%(chunk_ids)s::bigint[], %(scores)s::float8[], %(dense_scores)s::float8[], %(lexical_scores)s::float8[])
    WITH ORDINALITY AS wanted(chunk_id, score, dense_score, lexical_score, number)
JOIN chunks ON chunks.id = wanted.chunk_id
JOIN visible_documents(%(principals)s::text[]) AS documents ON documents.id = chunks.document_id
ORDER BY wanted.number
