-- name: find
SELECT paused, set_by, event_key, set_at FROM night_pauses ORDER BY id DESC LIMIT 1

-- name: set
WITH stored AS (
    INSERT INTO night_pauses (paused, set_by, event_key)
    SELECT %(paused)s, %(by)s, %(event_key)s
    WHERE coalesce((SELECT paused FROM night_pauses ORDER BY id DESC LIMIT 1), false) <> %(paused)s
    ON CONFLICT (event_key) DO NOTHING
    RETURNING paused, set_by, event_key, set_at
), audited AS (
    INSERT INTO audit (actor, act, subject)
    SELECT set_by, CASE WHEN paused THEN 'pause nights' ELSE 'resume nights' END, 'nights' FROM stored
)
SELECT paused, set_by, event_key, set_at FROM stored
