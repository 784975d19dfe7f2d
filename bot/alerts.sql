-- name: raise
INSERT INTO alerts (kind, subject, facts) VALUES (%(kind)s, %(subject)s, %(facts)s)
ON CONFLICT (kind, subject) WHERE cleared_at IS NULL DO UPDATE SET seen_at = now()

-- name: clear
UPDATE alerts SET cleared_at = now() WHERE kind = %(kind)s AND subject = %(subject)s AND cleared_at IS NULL

-- name: clear_unseen
UPDATE alerts SET cleared_at = now()
WHERE cleared_at IS NULL AND seen_at < now() - make_interval(secs => %(seconds)s)

-- name: get
SELECT id, kind, subject, facts, raised_at, cleared_at FROM alerts WHERE id = %(id)s

-- name: measure_inbox
SELECT count(*)::integer AS waiting, coalesce(extract(epoch FROM now() - min(available_at)), 0)::float8 AS seconds
FROM inbox
WHERE done_at IS NULL AND buried_at IS NULL AND available_at <= now()
  AND (lease_expires_at IS NULL OR lease_expires_at < now())
