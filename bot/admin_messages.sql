-- name: find_due
WITH topics AS (
    SELECT 'report' AS kind, runs.id, runs.finished_at AS at
    FROM runs
    WHERE runs.finished_at > now() - make_interval(hours => %(hours)s)
      -- What an audience alone may read is for the console; a report is erased with a person whom it quotes.
      AND audience = 'everyone' AND EXISTS (SELECT FROM reports WHERE reports.run_id = runs.id)
    UNION ALL
    SELECT 'details', runs.id, runs.finished_at
    FROM runs
    JOIN admin_messages ON platform = %(platform)s AND topic = 'report:' || runs.id AND message_key IS NOT NULL
    WHERE runs.finished_at > now() - make_interval(hours => %(hours)s)
      AND EXISTS (SELECT FROM reports WHERE reports.run_id = runs.id)
    UNION ALL
    -- Once the night's report tells it too.
    SELECT 'trial', runs.id, ended.at
    FROM runs
    CROSS JOIN LATERAL (SELECT max(switched_at) AS at FROM switches
                        WHERE facts ? 'outcome' AND facts ->> 'adapter' = runs.adapter) AS ended
    WHERE runs.trial IS NOT NULL AND audience = 'everyone' AND ended.at > now() - make_interval(hours => %(hours)s)
    UNION ALL
    SELECT 'alert', alerts.id, raised_at
    FROM alerts
    WHERE cleared_at IS NULL AND raised_at > now() - make_interval(hours => %(hours)s)
    UNION ALL
    SELECT 'clear', alerts.id, cleared_at
    FROM alerts
    JOIN admin_messages ON platform = %(platform)s AND topic = 'alert:' || alerts.id AND message_key IS NOT NULL
    WHERE cleared_at > now() - make_interval(hours => %(hours)s)
)
SELECT kind, id FROM topics
WHERE NOT EXISTS (
    SELECT FROM admin_messages
    WHERE platform = %(platform)s AND topic = topics.kind || ':' || topics.id
      AND (message_key IS NOT NULL OR lease_expires_at > now()))
ORDER BY at

-- name: claim
INSERT INTO admin_messages (platform, topic, lease_expires_at)
VALUES (%(platform)s, %(topic)s, now() + make_interval(secs => %(seconds)s))
ON CONFLICT (platform, topic) DO UPDATE
    SET lease_expires_at = excluded.lease_expires_at, attempts = admin_messages.attempts + 1
    WHERE admin_messages.message_key IS NULL AND admin_messages.lease_expires_at < now()
RETURNING message_key

-- name: set_posted
UPDATE admin_messages SET message_key = %(message_key)s, posted_at = now()
WHERE platform = %(platform)s AND topic = %(topic)s

-- name: find_key
SELECT message_key FROM admin_messages WHERE platform = %(platform)s AND topic = %(topic)s

-- name: get_trial
SELECT trial FROM runs WHERE id = %(run_id)s AND trial IS NOT NULL

-- name: get_report
SELECT markdown FROM reports WHERE run_id = %(run_id)s AND language = %(language)s
