-- name: find_samples
SELECT exercise_id, seed, answer FROM exercise_samples
WHERE model = %(model)s AND exercise_id = ANY(%(ids)s::bigint[])

-- name: store_samples
INSERT INTO exercise_samples (exercise_id, model, seed, answer)
SELECT row.exercise_id, %(model)s, row.seed, row.answer
FROM jsonb_to_recordset(%(rows)s::jsonb) AS row(exercise_id bigint, seed integer, answer text)
WHERE EXISTS (SELECT FROM exercises WHERE id = row.exercise_id)
ORDER BY row.exercise_id, row.seed
ON CONFLICT DO NOTHING
