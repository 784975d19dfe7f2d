-- name: drop_unfinished
DELETE FROM advice_rounds WHERE fingerprint = %(fingerprint)s AND ended_at IS NULL

-- name: begin
INSERT INTO advice_rounds (fingerprint, asked_by, adapter)
VALUES (%(fingerprint)s, %(by)s, %(adapter)s)
RETURNING id

-- name: find_unfinished
SELECT id FROM advice_rounds WHERE fingerprint = %(fingerprint)s AND ended_at IS NULL ORDER BY id DESC LIMIT 1

-- name: record
INSERT INTO diagnoses (round_id, key, sha256, language, question, interaction_id, feedback_id, is_right, context,
                       behaviour, rank, runs)
SELECT %(round_id)s, %(key)s, %(sha256)s, %(language)s, %(question)s, %(interaction_id)s, %(feedback_id)s, %(is_right)s,
       %(context)s, %(behaviour)s, %(rank)s, %(runs)s
WHERE (%(interaction_id)s::bigint IS NULL OR EXISTS (SELECT FROM interactions WHERE id = %(interaction_id)s))
  AND (%(feedback_id)s::bigint IS NULL OR EXISTS (SELECT FROM feedback WHERE id = %(feedback_id)s))
ON CONFLICT (round_id, key) DO UPDATE
SET sha256 = excluded.sha256, language = excluded.language, question = excluded.question,
    is_right = excluded.is_right, context = excluded.context, behaviour = excluded.behaviour, rank = excluded.rank,
    runs = excluded.runs, diagnosed_at = clock_timestamp()

-- name: find_diagnosed
SELECT key, sha256, language, question, interaction_id, feedback_id, is_right, context, behaviour, rank, runs
FROM diagnoses WHERE round_id = %(round_id)s ORDER BY diagnosed_at, key

-- name: end
UPDATE advice_rounds SET ended_at = clock_timestamp(), advice = %(advice)s, pictures = %(pictures)s WHERE id = %(id)s

-- name: find_latest
SELECT id, fingerprint, asked_by, adapter, began_at, ended_at, advice, pictures
FROM advice_rounds WHERE ended_at IS NOT NULL ORDER BY ended_at DESC, id DESC LIMIT 1

-- name: count_answers
SELECT count(*)::integer AS count
FROM interactions
WHERE finished_at >= %(since)s AND finished_at < %(until)s AND mode IN ('generated', 'quoted')
