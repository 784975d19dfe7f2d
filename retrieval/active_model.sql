-- name: find_active
SELECT embedding_models.id, name, languages
FROM active_embedding_model JOIN embedding_models ON embedding_models.id = model_id
