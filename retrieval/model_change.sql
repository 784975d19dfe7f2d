-- name: measure_filling
SELECT count(*) AS chunks, count(embeddings.chunk_id) AS filled
FROM documents
JOIN chunks ON chunks.document_id = documents.id
LEFT JOIN embeddings ON embeddings.chunk_id = chunks.id
    AND embeddings.model_id = (SELECT id FROM embedding_models WHERE name = %(model)s)
WHERE documents.removed_at IS NULL AND chunks.language = ANY(%(languages)s::text[])

-- name: activate
-- Nothing where a visible chunk is without a vector of the model; the lock of the index lets none come in meanwhile.
INSERT INTO active_embedding_model AS active (model_id)
SELECT id FROM embedding_models AS wanted
WHERE name = %(model)s AND NOT EXISTS (
    SELECT FROM documents JOIN chunks ON chunks.document_id = documents.id
    WHERE documents.removed_at IS NULL AND chunks.language = ANY(%(languages)s::text[])
      AND NOT EXISTS (SELECT FROM embeddings WHERE chunk_id = chunks.id AND model_id = wanted.id))
ON CONFLICT (only_row) DO UPDATE
SET model_id = excluded.model_id,
    switched_at = CASE WHEN active.model_id = excluded.model_id THEN active.switched_at ELSE now() END

-- name: find_left
SELECT name, count(*) AS vectors
FROM embeddings JOIN embedding_models ON embedding_models.id = model_id
WHERE name <> %(keep)s AND model_id NOT IN (SELECT model_id FROM active_embedding_model)
GROUP BY name
ORDER BY name

-- name: drop_left
-- The models stay registered, so that who still embeds with one fails at nothing.
WITH dropped AS MATERIALIZED (
    SELECT id FROM embedding_models
    WHERE name <> %(keep)s AND id NOT IN (SELECT model_id FROM active_embedding_model)
), calibrations AS (
    DELETE FROM fusion_calibrations WHERE model_id IN (SELECT id FROM dropped)
)
DELETE FROM embeddings WHERE model_id IN (SELECT id FROM dropped)
