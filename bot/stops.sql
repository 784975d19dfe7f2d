-- name: request
UPDATE inbox SET payload = payload || jsonb_build_object('stop_requested', true)
WHERE id = %(id)s AND kind = 'question' AND payload->>'person' = %(person)s AND done_at IS NULL AND buried_at IS NULL
RETURNING id

-- name: find_requested
SELECT id FROM inbox WHERE id = ANY(%(ids)s) AND payload ? 'stop_requested'
