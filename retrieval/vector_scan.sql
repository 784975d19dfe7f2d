-- Each statement is given what the asker may see, as `Access.find_visible_chunks` found it.

-- name: compare_vectors
-- Each of these in full.
SELECT chunk_id, -(vector <#> %(vector)s::halfvec) AS score
FROM embeddings
WHERE model_id = %(model_id)s AND chunk_id = ANY(%(chunk_ids)s::bigint[])
ORDER BY score DESC, chunk_id

-- name: find_signs
-- What was stored since, whoever may read it: chunk id in eight bytes, big end first, then a bit a dimension. Four bytes
-- before the bits say how many there are.
SELECT count(*), max(position),
       string_agg(int8send(chunk_id) || substr(bit_send(binary_quantize(vector)), 5), ''::bytea)
FROM (
    SELECT chunk_id, position, vector FROM embeddings
    WHERE model_id = %(model_id)s AND position > %(after)s
    ORDER BY position
    LIMIT %(limit)s
) AS added
