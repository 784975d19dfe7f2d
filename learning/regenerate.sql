-- name: find_sampled
SELECT interaction_id, model, seed, answer FROM regenerated
WHERE interaction_id = ANY(%(ids)s) AND model = %(model)s
ORDER BY interaction_id, seed

-- name: store_sampled
INSERT INTO regenerated (interaction_id, model, seed, answer)
SELECT interaction_id, model, seed, answer
FROM jsonb_to_recordset(%(rows)s::jsonb) AS row(interaction_id bigint, model text, seed integer, answer text)
ON CONFLICT DO NOTHING
