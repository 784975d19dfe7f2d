-- name: find_taught
-- Of visible blocks, packed as postings are: place, then weight for a term; for the chunk itself, under the term '', its
-- length and that of its questions.
SELECT '' AS term, (chunk_id >> 12)::integer AS block,
       string_agg(int2send((chunk_id & 4095)::smallint) || int2send(length) || int2send(term_count), ''::bytea)
FROM taught_chunks
WHERE (chunk_id >> 12)::integer = ANY(%(blocks)s::integer[])
GROUP BY 2
UNION ALL
SELECT term, (chunk_id >> 12)::integer,
       string_agg(int2send((chunk_id & 4095)::smallint) || int2send(weight) || int2send(0::smallint), ''::bytea)
FROM taught_terms
WHERE term = ANY(%(terms)s::text[]) AND (chunk_id >> 12)::integer = ANY(%(blocks)s::integer[])
GROUP BY 1, 2
