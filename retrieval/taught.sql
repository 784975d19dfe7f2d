-- name: find_taught
-- Of visible blocks, packed as postings are: place, then weight for a term; under the term '' the chunks themselves, with
-- their lengths and those of their questions.
SELECT '' AS term, block, entries FROM taught_blocks WHERE block = ANY(%(blocks)s::integer[])
UNION ALL
SELECT term, (chunk_id >> 12)::integer,
       string_agg(int2send((chunk_id & 4095)::smallint) || int2send(weight) || int2send(0::smallint), ''::bytea)
FROM taught_terms
WHERE term = ANY(%(terms)s::text[]) AND (chunk_id >> 12)::integer = ANY(%(blocks)s::integer[])
GROUP BY 1, 2
