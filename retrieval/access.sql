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

-- name: find_common
-- What several people may all read, as visible_documents takes it. An employee holds everyone, their own name and their
-- groups; of anybody else, who reads what is public, the names only deny.
WITH readers AS MATERIALIZED (
    SELECT reader.person, coalesce(people.kind, 'member') = 'member' AS is_employee
    FROM unnest(%(people)s::text[]) AS reader(person) LEFT JOIN people USING (person)
    WHERE coalesce(people.kind, 'member') NOT IN ('bot', 'gone')
), held AS MATERIALIZED (
    SELECT person, 'public' AS principal, true AS allows FROM readers
    UNION SELECT person, 'everyone', true FROM readers WHERE is_employee
    UNION SELECT person, person, is_employee FROM readers
    UNION SELECT person, principal, is_employee FROM readers JOIN memberships USING (person)
    UNION SELECT person, principal, is_employee FROM readers JOIN directory_groups USING (person)
), common AS MATERIALIZED (
    SELECT principal FROM held WHERE allows
    GROUP BY principal HAVING count(*) = (SELECT count(*) FROM readers)
), denying AS (
    SELECT DISTINCT principal FROM held
    WHERE principal IN (SELECT unnest(deny) FROM audiences) AND principal NOT IN (SELECT principal FROM common)
), one_by_one AS (
    SELECT audiences.id
    FROM audiences CROSS JOIN LATERAL unnest(allow) AS name JOIN held ON held.principal = name AND allows
    WHERE NOT allow && ARRAY(SELECT principal FROM common) AND NOT deny && ARRAY(SELECT principal FROM held)
    GROUP BY audiences.id HAVING count(DISTINCT person) = (SELECT count(*) FROM readers)
)
SELECT principal FROM common
UNION ALL SELECT '!' || principal FROM denying
UNION ALL SELECT 'audience:' || id FROM one_by_one
ORDER BY principal

-- name: find_visible_ids
SELECT id FROM visible_documents(%(principals)s::text[]) WHERE id = ANY(%(ids)s::bigint[])

-- name: find_further_audience
SELECT visible_audiences(%(principals)s::text[]) AS id
EXCEPT
SELECT visible_audiences(%(others)s::text[])
LIMIT 1

-- name: find_index_version
SELECT version FROM index_version

-- name: find_visible_chunks
SELECT (SELECT version FROM index_version) AS version, block, string_agg(places, ''::bytea) AS places, sum(term_count)::bigint AS term_count
FROM audience_blocks
WHERE audience_id IN (SELECT visible_audiences(%(principals)s::text[]))
GROUP BY block
ORDER BY block

-- name: find_visible_chunks_of_sources
-- By document, for audience_blocks do not tell sources apart.
SELECT (SELECT version FROM index_version) AS version, (chunks.id >> 12)::integer AS block,
       string_agg(int2send((chunks.id & 4095)::smallint), ''::bytea) AS places, sum(chunks.length)::bigint AS term_count
FROM chunks JOIN visible_documents(%(principals)s::text[]) AS documents ON documents.id = chunks.document_id
GROUP BY 2
ORDER BY 2
