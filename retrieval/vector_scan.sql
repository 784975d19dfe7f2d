-- Each statement is given what the asker may see, as `Access.find_visible_chunks` found it.

-- name: compare_vectors
-- Few are visible: each of their vectors is compared in full.
WITH scored AS MATERIALIZED (
    SELECT chunk_id, -(vector <#> %(vector)s::halfvec) AS score
    FROM embeddings
    WHERE model_id = %(model_id)s AND chunk_id = ANY(%(visible_ids)s::bigint[])
)
(SELECT chunk_id, score FROM scored ORDER BY score DESC, chunk_id LIMIT %(limit)s)
UNION
SELECT chunk_id, score FROM scored WHERE chunk_id = ANY(%(also)s::bigint[])

-- name: compare_codes
-- The signs of every visible vector, then the nearest of them in full. Sorting all would cost as much as comparing, so a
-- sample tells what distance about one and a half times as many as are wanted lie within; `nearest` says whether that
-- was enough. The codes of chunks that came after the bitmap lie beyond it.
WITH question AS MATERIALIZED (
    SELECT binary_quantize(%(vector)s::halfvec) AS code
), sample AS (
    SELECT codes.code <~> (SELECT code FROM question) AS distance
    FROM codes TABLESAMPLE SYSTEM (%(sample_percent)s)
    WHERE model_id = %(model_id)s
      AND CASE WHEN chunk_id BETWEEN %(first_id)s AND %(last_id)s
               THEN get_bit(%(bitmap)s::bytea, chunk_id - %(first_id)s) = 1 ELSE false END
), reach AS MATERIALIZED (
    SELECT CASE WHEN count(*) >= 100 THEN percentile_disc(%(share)s::float8) WITHIN GROUP (ORDER BY distance)
                ELSE 'infinity' END AS distance
    FROM sample
), near AS MATERIALIZED (
    SELECT chunk_id, codes.code <~> (SELECT code FROM question) AS distance
    FROM codes
    WHERE model_id = %(model_id)s
      AND CASE WHEN chunk_id BETWEEN %(first_id)s AND %(last_id)s
               THEN get_bit(%(bitmap)s::bytea, chunk_id - %(first_id)s) = 1 ELSE false END
      AND codes.code <~> (SELECT code FROM question) <= (SELECT distance FROM reach)
), nearest AS MATERIALIZED (
    SELECT chunk_id FROM near ORDER BY distance, chunk_id LIMIT %(compared)s
), scored AS MATERIALIZED (
    SELECT chunk_id, -(vector <#> %(vector)s::halfvec) AS score
    FROM embeddings
    WHERE model_id = %(model_id)s
      AND chunk_id = ANY(ARRAY(SELECT chunk_id FROM nearest UNION SELECT unnest(%(also)s::bigint[])))
)
SELECT chunk_id, score, (SELECT count(*) FROM nearest) AS nearest
FROM (
    (SELECT chunk_id, score FROM scored ORDER BY score DESC, chunk_id LIMIT %(limit)s)
    UNION
    SELECT chunk_id, score FROM scored WHERE chunk_id = ANY(%(also)s::bigint[])
) AS found
