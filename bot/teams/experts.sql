-- name: find_request
SELECT 1 AS one FROM expert_requests WHERE platform = 'teams' AND thread_key = %(thread_key)s

-- name: find_payload
SELECT payload FROM inbox WHERE id = %(id)s

-- name: find_account
SELECT coalesce(payload->'account', '{}'::jsonb) AS payload FROM inbox
WHERE platform = 'teams' AND event_key = %(event_key)s
