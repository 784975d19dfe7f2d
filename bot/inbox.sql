-- name: receive
WITH given AS (
    SELECT ordinality, row.*
    FROM jsonb_array_elements(%(rows)s::jsonb) WITH ORDINALITY AS element(value, ordinality),
         jsonb_to_record(value) AS row(platform text, event_key text, conversation_key text, kind text, payload jsonb,
                                       traceparent text)
), distinct_given AS (
    SELECT DISTINCT ON (platform, event_key) * FROM given ORDER BY platform, event_key, ordinality
), numbered AS (
    -- What came before in the same batch counts too; a question that is delivered again is none.
    SELECT *, is_asked AND %(is_limited)s AS is_limited,
           count(*) FILTER (WHERE is_asked) OVER (PARTITION BY person ORDER BY ordinality) AS nth,
           count(*) FILTER (WHERE is_asked) OVER (PARTITION BY name_workspace(person) ORDER BY ordinality) AS nth_of_all
    FROM (SELECT *, payload ->> 'person' AS person,
                 kind = 'question' AND NOT EXISTS (
                     SELECT FROM inbox WHERE inbox.platform = distinct_given.platform
                                         AND inbox.event_key = distinct_given.event_key) AS is_asked
          FROM distinct_given) AS asked
), judged AS (
    SELECT *, CASE
        WHEN NOT is_limited THEN NULL
        WHEN %(person_waiting)s > 0 AND nth > %(person_waiting)s - (
            SELECT count(*) FROM inbox WHERE payload ->> 'person' = person AND kind = 'question'
                                         AND done_at IS NULL AND buried_at IS NULL) THEN 'person_waiting'
        WHEN %(workspace_waiting)s > 0 AND nth_of_all > %(workspace_waiting)s - (
            SELECT count(*) FROM inbox WHERE name_workspace(payload ->> 'person') = name_workspace(person)
                                         AND kind = 'question' AND done_at IS NULL AND buried_at IS NULL)
            THEN 'workspace_waiting'
        WHEN %(person_per_minute)s > 0 AND nth > %(person_per_minute)s - (
            SELECT count(*) FROM inbox WHERE payload ->> 'person' = person AND kind = 'question'
                                         AND received_at BETWEEN now() - interval '1 minute' AND now())
            THEN 'person_per_minute'
        WHEN %(workspace_per_minute)s > 0 AND nth_of_all > %(workspace_per_minute)s - (
            SELECT count(*) FROM inbox WHERE name_workspace(payload ->> 'person') = name_workspace(person)
                                         AND kind = 'question'
                                         AND received_at BETWEEN now() - interval '1 minute' AND now())
            THEN 'workspace_per_minute'
    END AS refusal
    FROM numbered
), told AS (
    SELECT *, CASE refusal
        WHEN 'person_per_minute' THEN (
            SELECT min(received_at) + interval '1 minute' FROM inbox
            WHERE payload ->> 'person' = person AND kind = 'question'
              AND received_at BETWEEN now() - interval '1 minute' AND now())
        WHEN 'workspace_per_minute' THEN (
            SELECT min(received_at) + interval '1 minute' FROM inbox
            WHERE name_workspace(payload ->> 'person') = name_workspace(person) AND kind = 'question'
              AND received_at BETWEEN now() - interval '1 minute' AND now())
    END AS again_at
    FROM judged
), stored AS (
    INSERT INTO inbox (platform, event_key, conversation_key, kind, payload, traceparent)
    SELECT platform, event_key, conversation_key,
           CASE WHEN refusal IS NULL THEN kind ELSE 'refusal' END,
           CASE WHEN refusal IS NULL THEN payload
                ELSE payload || jsonb_build_object('refusal', refusal, 'again_at', again_at) END,
           traceparent
    FROM told
    -- A page is told at once, and may ask again with the same key.
    WHERE refusal IS NULL OR platform <> 'web'
    ORDER BY ordinality
    -- Not DO NOTHING: it returns no row, and what another process stored just now is invisible to this statement.
    ON CONFLICT (platform, event_key) DO UPDATE SET event_key = excluded.event_key
    RETURNING id, platform, event_key, xmax = 0 AS is_new
)
SELECT coalesce(stored.id, 0) AS id, coalesce(stored.is_new, false) AND given.ordinality = told.ordinality AS is_new,
       told.refusal, told.again_at
FROM given
JOIN told USING (platform, event_key)
LEFT JOIN stored USING (platform, event_key)
ORDER BY given.ordinality

-- name: claim
-- A lease or a pause that ends much later than any does which begins now is of a clock that was ahead: it holds nobody up.
UPDATE inbox
SET claimed_by = %(worker)s, attempts = attempts + 1,
    lease_expires_at = now() + make_interval(secs => %(lease_seconds)s)
WHERE id = (
    SELECT id FROM inbox AS candidate
    WHERE done_at IS NULL AND buried_at IS NULL
      AND (available_at <= now() OR available_at > now() + make_interval(secs => %(pause_seconds)s))
      AND (lease_expires_at IS NULL OR lease_expires_at < now()
           OR lease_expires_at > now() + make_interval(secs => 2 * %(lease_seconds)s))
      AND NOT EXISTS (
          SELECT FROM inbox AS earlier
          WHERE earlier.conversation_key = candidate.conversation_key AND earlier.kind = candidate.kind
            AND earlier.id < candidate.id AND earlier.done_at IS NULL AND earlier.buried_at IS NULL)
    -- Votes and commands take moments and do not wait behind a line of questions.
    ORDER BY kind = 'question', id
    LIMIT 1
    FOR UPDATE SKIP LOCKED
)
RETURNING id, platform, conversation_key, kind, payload, attempts, received_at, claimed_by, traceparent,
          notice_key

-- name: extend
UPDATE inbox SET lease_expires_at = now() + make_interval(secs => %(lease_seconds)s)
WHERE id = %(id)s AND claimed_by = %(worker)s AND attempts = %(attempts)s AND done_at IS NULL

-- name: release
UPDATE inbox SET lease_expires_at = NULL, claimed_by = NULL, attempts = attempts - 1
WHERE id = %(id)s AND claimed_by = %(worker)s AND attempts = %(attempts)s AND done_at IS NULL

-- name: finish
UPDATE inbox SET done_at = now(), lease_expires_at = NULL, error = NULL
WHERE id = %(id)s AND claimed_by = %(worker)s AND attempts = %(attempts)s

-- name: retry
UPDATE inbox
SET lease_expires_at = NULL, claimed_by = NULL, error = %(error)s,
    available_at = now() + make_interval(secs => %(pause_seconds)s)
WHERE id = %(id)s AND claimed_by = %(worker)s AND attempts = %(attempts)s

-- name: bury
UPDATE inbox SET buried_at = now(), lease_expires_at = NULL, error = %(error)s
WHERE id = %(id)s AND claimed_by = %(worker)s AND attempts = %(attempts)s

-- name: count_open
SELECT count(*)::integer AS open FROM inbox WHERE done_at IS NULL AND buried_at IS NULL
