-- name: add
INSERT INTO adapter_audiences (name, principal) VALUES (%(name)s, %(principal)s)
ON CONFLICT (name) DO UPDATE SET principal = excluded.principal

-- name: remove
DELETE FROM adapter_audiences WHERE name = %(name)s

-- name: find_all
SELECT name, principal FROM adapter_audiences ORDER BY name
