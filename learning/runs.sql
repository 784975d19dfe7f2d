-- name: resume
UPDATE runs SET attempts = attempts + 1
WHERE id = (SELECT id FROM runs WHERE state = 'running' AND NOT is_rehearsal ORDER BY id LIMIT 1)
RETURNING *

-- name: begin
-- An audience's night has the window of everyone's, and comes once after it, whatever crashed meanwhile.
INSERT INTO runs (night, requested_by, window_from, window_to, audience, kind)
SELECT %(night)s, %(requested_by)s, %(window_from)s, %(window_to)s, %(audience)s, %(kind)s
WHERE %(audience)s = 'everyone'
   OR NOT EXISTS (SELECT FROM runs WHERE audience = %(audience)s AND window_to = %(window_to)s AND NOT is_rehearsal)
ON CONFLICT (night, audience) WHERE requested_by = 'schedule' DO NOTHING
RETURNING *

-- name: has_night
-- A night that somebody's wish to be forgotten asks for is still to come.
SELECT EXISTS (SELECT FROM runs WHERE night = %(night)s AND state <> 'running' AND NOT is_rehearsal AND audience = 'everyone' AND kind = 'night'
               AND NOT EXISTS (SELECT FROM rebuilds WHERE run_id IS NULL)) AS held

-- name: forget_rehearsals
DELETE FROM runs WHERE is_rehearsal AND id < %(before)s

-- name: begin_rehearsal
INSERT INTO runs (night, requested_by, window_from, window_to, is_rehearsal)
VALUES (%(night)s, %(requested_by)s, %(window_from)s, %(window_to)s, true)
RETURNING *

-- name: update
UPDATE runs SET
    stage = coalesce(%(stage)s, stage),
    -- Collected anew, it holds nothing that was forgotten.
    has_lost_pairs = has_lost_pairs AND %(stage)s::text IS DISTINCT FROM 'collect',
    counts = coalesce(%(counts)s, counts),
    tickets = coalesce(%(tickets)s, tickets),
    -- The night held on to words that were erased meanwhile.
    evaluation = CASE WHEN has_lost_pairs
                      THEN coalesce(%(evaluation)s, evaluation) #- '{answers,examples}' #- '{disliked,examples}'
                      ELSE coalesce(%(evaluation)s, evaluation) END,
    proof = coalesce(%(proof)s, proof),
    gate = coalesce(%(gate)s, gate),
    trial = coalesce(%(trial)s, trial),
    adapter = coalesce(%(adapter)s, adapter),
    seconds = seconds || coalesce(%(seconds)s, '{}')
WHERE id = %(id)s
RETURNING *

-- name: finish
UPDATE runs SET state = %(state)s, reason = %(reason)s, error = %(error)s,
                finished_at = coalesce(finished_at, clock_timestamp())
WHERE id = %(id)s
RETURNING *

-- name: take_rebuilds
UPDATE rebuilds SET run_id = %(id)s
WHERE run_id IS NULL AND requested_at < (SELECT started_at FROM runs WHERE id = %(id)s AND NOT is_rehearsal AND kind = 'night')

-- name: get
SELECT * FROM runs WHERE id = %(id)s

-- name: find_latest
SELECT * FROM runs WHERE NOT is_rehearsal AND audience = 'everyone' ORDER BY id DESC LIMIT %(limit)s

-- name: forget_run_pairs
DELETE FROM run_pairs WHERE run_id = %(run_id)s

-- name: store_pairs
WITH given AS (
    SELECT row.*
    FROM jsonb_to_recordset(%(rows)s::jsonb) AS row(
        sha256 text, prompt jsonb, chosen text, rejected text, origin text, question text, language text,
        interaction_ids bigint[], feedback_ids bigint[], voters text[], access jsonb, weight real, given_at timestamptz,
        documents jsonb, confidence real, why text[],
        state text, reason text)
), stored AS (
    INSERT INTO pairs (sha256, prompt, chosen, rejected, origin, question, language, interaction_ids, feedback_ids,
                       voters, access, weight, given_at, documents, confidence, why)
    SELECT sha256, prompt, chosen, rejected, origin, question, language, interaction_ids, feedback_ids,
           (SELECT coalesce(array_agg(name_voter(voter) ORDER BY name_voter(voter)), '{}') FROM unnest(voters) AS voter),
           access, weight, given_at, documents, confidence, why
    FROM given ORDER BY sha256
    ON CONFLICT (sha256) DO UPDATE SET
        interaction_ids = excluded.interaction_ids, feedback_ids = excluded.feedback_ids, voters = excluded.voters,
        access = excluded.access, weight = excluded.weight, given_at = excluded.given_at, documents = excluded.documents,
        confidence = excluded.confidence, why = excluded.why
    RETURNING id, sha256
)
INSERT INTO run_pairs (run_id, pair_id, state, reason)
SELECT %(run_id)s, stored.id, given.state, given.reason FROM given JOIN stored USING (sha256)
ON CONFLICT (run_id, pair_id) DO UPDATE SET state = excluded.state, reason = excluded.reason

-- name: store_fates
INSERT INTO feedback_fates (feedback_id, run_id, state, reason)
SELECT row.feedback_id, %(run_id)s, row.state, row.reason
FROM jsonb_to_recordset(%(rows)s::jsonb) AS row(feedback_id bigint, state text, reason text)
ORDER BY row.feedback_id
ON CONFLICT (feedback_id) DO UPDATE SET run_id = excluded.run_id, state = excluded.state, reason = excluded.reason

-- name: find_pairs
SELECT sha256, prompt, chosen, rejected, pairs.question, language, voters, origin, run_pairs.state, run_pairs.reason
FROM run_pairs JOIN pairs ON pairs.id = run_pairs.pair_id
WHERE run_id = %(run_id)s
ORDER BY sha256

-- name: store_report
INSERT INTO reports (run_id, language, markdown, html)
VALUES (%(run_id)s, %(language)s, %(markdown)s, %(html)s)
ON CONFLICT (run_id, language) DO UPDATE SET
    markdown = excluded.markdown, html = excluded.html, written_at = clock_timestamp()

-- name: get_report
SELECT run_id, language, markdown, html, written_at
FROM reports WHERE run_id = %(run_id)s AND language = %(language)s

-- name: get_reported_until
-- Of everyone's nights: those of audiences tell no gaps.
SELECT max(window_to) AS until FROM runs JOIN reports ON run_id = runs.id
WHERE runs.id < %(id)s AND audience = 'everyone' AND kind = 'night'

-- name: find_last_report_at
SELECT max(written_at) AS written_at FROM reports JOIN runs ON runs.id = run_id
WHERE run_id < %(id)s AND audience = 'everyone'

-- name: count_votes_by_day
SELECT day::date AS day,
       count(feedback.id) FILTER (WHERE value > 0) AS liked,
       count(feedback.id) FILTER (WHERE value < 0) AS disliked
FROM generate_series(date_trunc('day', %(until)s::timestamptz) - interval '29 days',
                     date_trunc('day', %(until)s::timestamptz), interval '1 day') AS day
     LEFT JOIN feedback ON given_at >= day AND given_at < day + interval '1 day' AND given_at < %(until)s
GROUP BY day ORDER BY day
