-- name: find_memberships
SELECT principal FROM memberships WHERE person = %(person)s ORDER BY principal

-- name: set_memberships
WITH wanted AS (
    SELECT DISTINCT unnest(%(principals)s::text[]) AS principal
), gone AS (
    DELETE FROM memberships
    WHERE person = %(person)s AND principal NOT IN (SELECT principal FROM wanted)
)
INSERT INTO memberships (person, principal)
SELECT %(person)s, principal FROM wanted
ON CONFLICT DO NOTHING

-- name: find_index_version
SELECT version FROM index_version

-- name: find_visible_chunks
SELECT (SELECT version FROM index_version) AS version, block, string_agg(places, ''::bytea) AS places, sum(term_count)::bigint AS term_count
FROM audience_blocks
WHERE audience_id IN (SELECT visible_audiences(%(principals)s::text[]))
GROUP BY block
ORDER BY block
