-- name: find_names
SELECT other.person AS name
FROM people AS own JOIN people AS other ON other.email = own.email
WHERE own.person = %(person)s AND own.kind = 'member' AND other.person <> own.person AND other.kind <> 'bot'

-- name: is_signed_in
SELECT person AS name FROM people WHERE person = %(person)s

-- name: find_held
-- A person who signed in holds all names of one e-mail address with their groups, as far as they are known now; what is
-- not known any more, and what no employee holds, only denies.
WITH own AS (
    SELECT person, email FROM people WHERE person = %(person)s
), others AS (
    SELECT other.person, other.kind,
           other.kind = 'member' AND other.fetched_at > now() - make_interval(secs => %(person_seconds)s) AS allows
    FROM own JOIN people AS other ON other.email = own.email
    WHERE other.person <> own.person AND other.kind <> 'bot'
), names AS MATERIALIZED (
    SELECT person, true AS allows FROM own
    UNION ALL SELECT person, allows FROM others
), held AS (
    SELECT CASE WHEN EXISTS (SELECT FROM others WHERE kind IN ('guest', 'external'))
                     AND NOT EXISTS (SELECT FROM others WHERE allows)
                THEN 'public' ELSE 'everyone' END AS principal, true AS allows
    UNION ALL SELECT person, allows FROM names
    UNION ALL SELECT principal, allows FROM names JOIN memberships USING (person)
    UNION ALL SELECT principal,
                     allows AND coalesce(fetched_at > now() - make_interval(secs => %(list_seconds)s), false)
              FROM names JOIN directory_groups USING (person)
              LEFT JOIN directory_lists ON directory_lists.name = directory_groups.workspace
), judged AS (
    SELECT principal, bool_or(allows) AS allows FROM held GROUP BY principal
)
SELECT CASE WHEN allows THEN principal ELSE '!' || principal END AS name FROM judged
ORDER BY allows DESC, principal
