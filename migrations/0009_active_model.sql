-- Which embedding model questions are asked with: one row, the same for every process.

ALTER TABLE embedding_models ADD COLUMN languages text[] NOT NULL DEFAULT '{en}';
COMMENT ON COLUMN embedding_models.languages IS 'that its reader said it knows, when it was last filled in';
UPDATE embedding_models SET languages = found.languages
FROM (SELECT model_id, array_agg(DISTINCT language ORDER BY language) AS languages
      FROM embeddings JOIN chunks ON chunks.id = chunk_id GROUP BY model_id) AS found
WHERE embedding_models.id = found.model_id;

CREATE TABLE active_embedding_model (
    only_row    boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    model_id    smallint NOT NULL REFERENCES embedding_models,
    switched_at timestamptz NOT NULL DEFAULT now()
);
-- Until now it was the one of the settings, which is most likely the one with the most vectors.
INSERT INTO active_embedding_model (model_id)
SELECT model_id FROM embeddings GROUP BY model_id ORDER BY count(*) DESC, model_id DESC LIMIT 1;
