-- name: store_singles
WITH given AS (
    SELECT row.*
    FROM jsonb_to_recordset(%(rows)s::jsonb) AS row(interaction_id bigint, value smallint, weight real)
), gone AS (
    DELETE FROM run_singles
    WHERE run_id = %(run_id)s AND interaction_id NOT IN (SELECT interaction_id FROM given)
)
INSERT INTO run_singles (run_id, interaction_id, is_liked, confidence, use)
SELECT %(run_id)s, interaction_id, value > 0, weight,
       CASE WHEN interaction_id = ANY(%(trained)s::bigint[]) THEN 'kto' ELSE 'evaluation' END
FROM given
ON CONFLICT (run_id, interaction_id) DO UPDATE
SET is_liked = excluded.is_liked, confidence = excluded.confidence, use = excluded.use

-- name: store_queries
-- A vote that was taken back since takes its judgement along: the night knows all of the window.
WITH given AS (
    SELECT DISTINCT ON (interaction_id, chunk_id) row.*
    FROM jsonb_to_recordset(%(rows)s::jsonb)
        AS row(interaction_id bigint, question text, language text, chunk_id bigint, value smallint, evidence text,
               confidence real, feedback_ids bigint[])
    ORDER BY interaction_id, chunk_id, confidence DESC, evidence
), gone AS (
    DELETE FROM judged_queries WHERE (interaction_id, chunk_id) NOT IN (SELECT interaction_id, chunk_id FROM given)
)
INSERT INTO judged_queries (interaction_id, chunk_id, run_id, question, language, value, evidence, confidence, feedback_ids)
SELECT interaction_id, chunk_id, %(run_id)s, question, language, value, evidence, confidence, feedback_ids FROM given
ON CONFLICT (interaction_id, chunk_id) DO UPDATE
SET run_id = excluded.run_id, question = excluded.question, value = excluded.value, evidence = excluded.evidence,
    confidence = excluded.confidence, feedback_ids = excluded.feedback_ids
