-- Every statement reads terms through the postings of visible documents: a word that only hidden ones hold does not exist.

-- name: count_terms
-- The row without a term counts all visible chunks.
WITH visible AS MATERIALIZED (
    SELECT id, chunk_count FROM visible_documents(%(principals)s::text[])
)
SELECT terms.term, count(*)::integer AS chunks
FROM terms
JOIN postings ON postings.term_id = terms.id
JOIN visible ON visible.id = postings.document_id
WHERE terms.term = ANY(%(terms)s::text[])
GROUP BY terms.term
UNION ALL
SELECT NULL, coalesce(sum(chunk_count), 0)::integer FROM visible

-- name: find_terms_near
-- Terms that begin alike and are about as long: COLLATE "C" makes the range an index scan.
WITH visible AS MATERIALIZED (
    SELECT id FROM visible_documents(%(principals)s::text[])
), near AS MATERIALIZED (
    SELECT id, term FROM terms
    WHERE term >= %(prefix)s::text AND term < %(prefix)s::text || chr(1114111)
          AND length(term) BETWEEN %(shortest)s::integer AND %(longest)s::integer
    LIMIT 5000
)
SELECT near.term, found.chunks::integer
FROM near
CROSS JOIN LATERAL (
    SELECT count(*) AS chunks
    FROM postings JOIN visible ON visible.id = postings.document_id
    WHERE postings.term_id = near.id
) AS found
WHERE found.chunks > 0

-- name: find_text_with
-- A few visible chunks that hold a term, to show it as it is written there.
WITH visible AS MATERIALIZED (
    SELECT id, title FROM visible_documents(%(principals)s::text[])
)
SELECT visible.title || ' ' || chunks.heading_path || ' ' || chunks.text AS text
FROM terms
JOIN postings ON postings.term_id = terms.id
JOIN visible ON visible.id = postings.document_id
JOIN chunks ON chunks.id = postings.chunk_id
WHERE terms.term = %(term)s
ORDER BY chunks.id
LIMIT 5
