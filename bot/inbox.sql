-- name: receive
WITH given AS (
    SELECT ordinality, row.*
    FROM jsonb_array_elements(%(rows)s::jsonb) WITH ORDINALITY AS element(value, ordinality),
         jsonb_to_record(value) AS row(platform text, event_key text, conversation_key text, kind text, payload jsonb)
), distinct_given AS (
    SELECT DISTINCT ON (platform, event_key) * FROM given ORDER BY platform, event_key, ordinality
), stored AS (
    INSERT INTO inbox (platform, event_key, conversation_key, kind, payload)
    SELECT platform, event_key, conversation_key, kind, payload FROM distinct_given ORDER BY ordinality
    -- Not DO NOTHING: it returns no row, and what another process stored just now is invisible to this statement.
    ON CONFLICT (platform, event_key) DO UPDATE SET event_key = excluded.event_key
    RETURNING id, platform, event_key, xmax = 0 AS is_new
)
SELECT stored.id, stored.is_new AND distinct_given.ordinality IS NOT NULL AS is_new
FROM given
JOIN stored USING (platform, event_key)
LEFT JOIN distinct_given USING (platform, event_key, ordinality)
ORDER BY ordinality

-- name: claim
UPDATE inbox
SET claimed_by = %(worker)s, attempts = attempts + 1,
    lease_expires_at = now() + make_interval(secs => %(lease_seconds)s)
WHERE id = (
    SELECT id FROM inbox AS candidate
    WHERE done_at IS NULL AND buried_at IS NULL AND available_at <= now()
      AND (lease_expires_at IS NULL OR lease_expires_at < now())
      AND NOT EXISTS (
          SELECT FROM inbox AS earlier
          WHERE earlier.conversation_key = candidate.conversation_key AND earlier.kind = candidate.kind
            AND earlier.id < candidate.id AND earlier.done_at IS NULL AND earlier.buried_at IS NULL)
    ORDER BY id
    LIMIT 1
    FOR UPDATE SKIP LOCKED
)
RETURNING id, platform, conversation_key, kind, payload, attempts, received_at, claimed_by

-- name: extend
UPDATE inbox SET lease_expires_at = now() + make_interval(secs => %(lease_seconds)s)
WHERE id = %(id)s AND claimed_by = %(worker)s AND done_at IS NULL

-- name: release
UPDATE inbox SET lease_expires_at = NULL, claimed_by = NULL, attempts = attempts - 1
WHERE id = %(id)s AND claimed_by = %(worker)s AND done_at IS NULL

-- name: finish
UPDATE inbox SET done_at = now(), lease_expires_at = NULL, error = NULL
WHERE id = %(id)s AND claimed_by = %(worker)s

-- name: retry
UPDATE inbox
SET lease_expires_at = NULL, claimed_by = NULL, error = %(error)s,
    available_at = now() + make_interval(secs => %(pause_seconds)s)
WHERE id = %(id)s AND claimed_by = %(worker)s

-- name: bury
UPDATE inbox SET buried_at = now(), lease_expires_at = NULL, error = %(error)s
WHERE id = %(id)s AND claimed_by = %(worker)s

-- name: count_open
SELECT count(*)::integer AS open FROM inbox WHERE done_at IS NULL AND buried_at IS NULL
