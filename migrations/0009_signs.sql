-- Vectors in the order in which they were stored, so that a process that holds their signs can read what came after.

-- Replaced by signs in memory, retrieval/signs.py.
DROP TABLE codes;

ALTER TABLE embeddings ADD COLUMN position bigint GENERATED ALWAYS AS IDENTITY;
COMMENT ON COLUMN embeddings.position IS 'ascending in order of commit, for one transaction at a time stores vectors';
CREATE UNIQUE INDEX embeddings_position ON embeddings (model_id, position);

CREATE TRIGGER lock_index BEFORE INSERT ON embeddings
    FOR EACH STATEMENT EXECUTE FUNCTION lock_index();
