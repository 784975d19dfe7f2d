-- name: find_payload
SELECT payload FROM inbox WHERE id = %(id)s
