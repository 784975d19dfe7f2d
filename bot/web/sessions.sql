-- name: begin
INSERT INTO web_sessions (token_hash, origin, person, name, role, refresh_token)
VALUES (%(token_hash)s, %(origin)s, %(person)s, %(name)s, %(role)s, %(refresh_token)s)

-- name: find
SELECT token_hash, origin, person, name, role, refresh_token,
       extract(epoch FROM now() - seen_at)::float AS seen_seconds,
       extract(epoch FROM now() - checked_at)::float AS checked_seconds
FROM web_sessions
WHERE token_hash = %(token_hash)s
  AND seen_at > now() - make_interval(secs => %(idle_seconds)s)
  AND began_at > now() - make_interval(secs => %(longest_seconds)s)

-- name: touch
UPDATE web_sessions SET seen_at = now() WHERE token_hash = %(token_hash)s

-- name: claim_check
-- One process asks; where it died, another does after a while.
UPDATE web_sessions SET checking_at = now()
WHERE token_hash = %(token_hash)s AND refresh_token IS NOT NULL
  AND checked_at < now() - make_interval(secs => %(check_seconds)s)
  AND (checking_at IS NULL OR checking_at < now() - make_interval(secs => %(asking_seconds)s))
RETURNING token_hash

-- name: confirm
UPDATE web_sessions
SET role = %(role)s, name = %(name)s, refresh_token = coalesce(%(refresh_token)s, refresh_token),
    checked_at = now(), checking_at = NULL
WHERE token_hash = %(token_hash)s

-- name: end
DELETE FROM web_sessions WHERE token_hash = %(token_hash)s

-- name: end_person
DELETE FROM web_sessions
WHERE person = %(name)s OR person IN (SELECT person FROM people WHERE email = lower(%(name)s))
RETURNING token_hash

-- name: add_link
INSERT INTO web_links (token_hash, role, expires_at)
VALUES (%(token_hash)s, %(role)s, now() + make_interval(secs => %(seconds)s))

-- name: take_link
WITH taken AS (
    DELETE FROM web_links WHERE token_hash = %(token_hash)s RETURNING role, expires_at
)
SELECT role FROM taken WHERE expires_at > now()

-- name: sweep_sessions
DELETE FROM web_sessions
WHERE seen_at < now() - make_interval(secs => %(idle_seconds)s)
   OR began_at < now() - make_interval(secs => %(longest_seconds)s)

-- name: sweep_links
DELETE FROM web_links WHERE expires_at < now()
