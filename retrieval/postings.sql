-- Packed blocks, and what was stored since the last packing. Blocks of which nothing is visible stay where they are.

-- name: find_postings
SELECT terms.term, found.block, found.entries
FROM terms
CROSS JOIN LATERAL (
    SELECT block, entries FROM packed_postings WHERE term_id = terms.id
    UNION ALL
    SELECT block, entries FROM fresh_postings WHERE term_id = terms.id
) AS found
WHERE terms.term = ANY(%(terms)s::text[]) AND found.block = ANY(%(blocks)s::integer[])

-- name: find_postings_near
-- Of terms that begin alike and are about as long: COLLATE "C" makes the range an index scan.
WITH near AS MATERIALIZED (
    SELECT id, term FROM terms
    WHERE term >= %(prefix)s::text AND term < %(prefix)s::text || chr(1114111)
          AND length(term) BETWEEN %(shortest)s::integer AND %(longest)s::integer
    LIMIT 5000
)
SELECT near.term, found.block, found.entries
FROM near
CROSS JOIN LATERAL (
    SELECT block, entries FROM packed_postings WHERE term_id = near.id
    UNION ALL
    SELECT block, entries FROM fresh_postings WHERE term_id = near.id
) AS found
WHERE found.block = ANY(%(blocks)s::integer[])
