-- Each statement is given what the asker may see, as `Access.find_visible_chunks` found it.

-- name: compare_vectors
-- Each of these in full.
SELECT chunk_id, -(vector <#> %(vector)s::halfvec) AS score
FROM embeddings
WHERE model_id = %(model_id)s AND chunk_id = ANY(%(chunk_ids)s::bigint[])
ORDER BY score DESC, chunk_id
LIMIT %(limit)s

-- name: compare_codes
-- The signs of every visible vector, then the nearest of them in full. Sorting all would cost as much as comparing, so a
-- sample tells what distance about three times as many as are wanted lie within; `nearest` says whether that was enough.
-- Of distance and visibility the one that more fail is looked at first. The codes of chunks that came after
-- the bitmap lie beyond it.
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
      AND CASE WHEN %(mostly_hidden)s THEN
              CASE WHEN chunk_id BETWEEN %(first_id)s AND %(last_id)s
                   THEN get_bit(%(bitmap)s::bytea, chunk_id - %(first_id)s) = 1 ELSE false END
              AND codes.code <~> (SELECT code FROM question) <= (SELECT distance FROM reach)
          ELSE
              codes.code <~> (SELECT code FROM question) <= (SELECT distance FROM reach)
              AND CASE WHEN chunk_id BETWEEN %(first_id)s AND %(last_id)s
                       THEN get_bit(%(bitmap)s::bytea, chunk_id - %(first_id)s) = 1 ELSE false END
          END
), nearest AS MATERIALIZED (
    SELECT chunk_id FROM near ORDER BY distance, chunk_id LIMIT %(compared)s
)
SELECT chunk_id, -(vector <#> %(vector)s::halfvec) AS score, (SELECT count(*) FROM nearest) AS nearest
FROM embeddings
WHERE model_id = %(model_id)s AND chunk_id = ANY(ARRAY(SELECT chunk_id FROM nearest))
ORDER BY score DESC, chunk_id
LIMIT %(limit)s
