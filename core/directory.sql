-- name: put_people
INSERT INTO people (person, kind, is_admin, email, locale, changed_at)
SELECT DISTINCT ON (person) person, kind, is_admin, lower(email), locale, changed_at
FROM jsonb_to_recordset(%(rows)s::jsonb)
    AS row(person text, kind text, is_admin boolean, email text, locale text, changed_at timestamptz)
ORDER BY person, changed_at DESC
ON CONFLICT (person) DO UPDATE SET
    kind = CASE WHEN excluded.changed_at >= people.changed_at THEN excluded.kind ELSE people.kind END,
    is_admin = CASE WHEN excluded.changed_at >= people.changed_at THEN excluded.is_admin ELSE people.is_admin END,
    email = CASE WHEN excluded.changed_at >= people.changed_at THEN excluded.email ELSE people.email END,
    locale = CASE WHEN excluded.changed_at >= people.changed_at THEN coalesce(excluded.locale, people.locale)
                  ELSE people.locale END,
    changed_at = greatest(excluded.changed_at, people.changed_at),
    fetched_at = now()

-- name: unite
-- Employees with one e-mail are one voter; who changed theirs leaves those that they were one with before.
WITH touched AS (
    SELECT email, voter FROM people WHERE person = ANY(%(people)s::text[])
), found AS (
    SELECT person, CASE WHEN kind = 'member' AND email IS NOT NULL
                        THEN min(person) FILTER (WHERE kind = 'member') OVER (PARTITION BY email) END AS voter
    FROM people
    WHERE email IN (SELECT email FROM touched) OR voter IN (SELECT voter FROM touched)
       OR person = ANY(%(people)s::text[])
), before AS (
    SELECT people.person, people.voter FROM people JOIN found USING (person)
), changed AS (
    UPDATE people SET voter = found.voter
    FROM found
    WHERE people.person = found.person AND people.voter IS DISTINCT FROM found.voter
    RETURNING people.person, people.voter
)
-- The search counts a voter's questions, not a name's.
INSERT INTO untaught_votes (interaction_id)
SELECT DISTINCT interaction_id
FROM changed JOIN before USING (person) JOIN feedback USING (person)
WHERE coalesce(changed.voter, person) <> coalesce(before.voter, person)

-- name: share_consents
-- The last word of a person holds wherever they are.
INSERT INTO training_consents (person, allows_training, set_at)
SELECT one.person, latest.allows_training, latest.set_at
FROM people AS one
CROSS JOIN LATERAL (
    SELECT allows_training, set_at
    FROM training_consents JOIN people AS other ON other.person = training_consents.person
    WHERE other.voter = one.voter
    ORDER BY set_at DESC
    LIMIT 1
) AS latest
WHERE one.voter IN (SELECT voter FROM people WHERE person = ANY(%(people)s::text[]))
ON CONFLICT (person) DO UPDATE SET allows_training = excluded.allows_training, set_at = excluded.set_at
WHERE training_consents.set_at < excluded.set_at

-- name: find_same
SELECT other.person AS name
FROM people AS one JOIN people AS other ON other.voter = one.voter
WHERE one.person = %(person)s
ORDER BY other.person

-- name: find_person
SELECT person, kind, changed_at, is_admin, email, locale FROM people WHERE person = %(person)s

-- name: find_unknown
SELECT name
FROM unnest(%(people)s::text[]) AS name
WHERE NOT EXISTS (SELECT FROM people
                  WHERE person = name AND fetched_at > now() - make_interval(secs => %(seconds)s))

-- name: find_state
SELECT version, coalesce(fetched_at > now() - make_interval(secs => %(seconds)s), false) AS is_known
FROM directory_lists WHERE name = %(name)s

-- name: forget_list
INSERT INTO directory_lists (name, version) VALUES (%(name)s, 1)
ON CONFLICT (name) DO UPDATE SET version = directory_lists.version + 1, fetched_at = NULL

-- name: forget_lists
UPDATE directory_lists SET version = version + 1, fetched_at = NULL WHERE starts_with(name, %(prefix)s)

-- name: claim_list
INSERT INTO directory_lists (name, fetched_at) VALUES (%(name)s, now())
ON CONFLICT (name) DO UPDATE SET fetched_at = now() WHERE directory_lists.version = %(version)s
RETURNING name

-- name: put_room
INSERT INTO rooms (room, kind, is_shared, creator) VALUES (%(room)s, %(kind)s, %(is_shared)s, %(creator)s)
ON CONFLICT (room) DO UPDATE SET kind = excluded.kind, is_shared = excluded.is_shared, creator = excluded.creator

-- name: put_members
WITH gone AS (
    DELETE FROM room_members WHERE room = %(room)s AND person <> ALL(%(members)s::text[])
)
INSERT INTO room_members (room, person)
SELECT DISTINCT %(room)s, person FROM unnest(%(members)s::text[]) AS person
ON CONFLICT DO NOTHING

-- name: put_groups
WITH wanted AS (
    SELECT DISTINCT row.* FROM jsonb_to_recordset(%(rows)s::jsonb) AS row(principal text, person text)
), gone AS (
    DELETE FROM directory_groups
    WHERE workspace = %(workspace)s AND (principal, person) NOT IN (SELECT principal, person FROM wanted)
)
INSERT INTO directory_groups (principal, person, workspace)
SELECT principal, person, %(workspace)s FROM wanted
ON CONFLICT DO NOTHING

-- name: find_room
SELECT room, kind, is_shared, creator FROM rooms WHERE room = %(room)s

-- name: find_members
SELECT person AS name FROM room_members WHERE room = %(room)s ORDER BY person

-- name: find_outsiders
SELECT 1 AS one
FROM room_members LEFT JOIN people USING (person)
WHERE room = %(room)s AND (kind IS NULL OR kind IN ('guest', 'external'))
LIMIT 1
