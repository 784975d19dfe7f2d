-- name: record_act
INSERT INTO audit (actor, act, subject) VALUES (%(actor)s, %(act)s, %(subject)s)

-- name: find_acts
-- With the address by which people know a person, as far as the directory knows it.
SELECT audit.id, actor, people.email, act, subject, done_at
FROM audit LEFT JOIN people ON people.person = actor
WHERE (%(before)s::bigint IS NULL OR audit.id < %(before)s)
  AND (%(kind)s::text IS NULL
       OR CASE %(kind)s WHEN 'refused' THEN act LIKE 'refused: %%'
                        WHEN 'sign_in' THEN act ~ '^(sign |open console)'
                        ELSE act !~ '^(refused: |sign |open console)' END)
  AND (%(pattern)s::text IS NULL OR actor ILIKE %(pattern)s OR people.email ILIKE %(pattern)s
       OR act ILIKE %(pattern)s OR subject ILIKE %(pattern)s)
ORDER BY audit.id DESC
LIMIT %(limit)s
