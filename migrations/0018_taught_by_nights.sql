-- What is public is everybody's to learn from; what a night blames the search for reaches it; people settle disagreements.

-- `public` is read by guests too, and by every employee.
ALTER TABLE pairs DROP COLUMN readers;
CREATE OR REPLACE FUNCTION intersect_access(access jsonb) RETURNS text[]
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$
        SELECT CASE WHEN NOT EXISTS (SELECT FROM jsonb_array_elements(access) AS allow
                                     WHERE NOT allow ?| ARRAY['everyone', 'public'])
                    THEN ARRAY['everyone']
                    ELSE coalesce((
                        SELECT array_agg(name ORDER BY name)
                        FROM (SELECT DISTINCT jsonb_array_elements_text(allow) AS name
                              FROM jsonb_array_elements(access) AS allow) AS names
                        WHERE name NOT IN ('everyone', 'public')
                          AND NOT EXISTS (SELECT FROM jsonb_array_elements(access) AS allow
                                          WHERE NOT allow ?| ARRAY[name, 'everyone', 'public'])
                    ), '{}') END
    $$;
ALTER TABLE pairs ADD COLUMN readers text[] GENERATED ALWAYS AS (intersect_access(access)) STORED;
COMMENT ON COLUMN pairs.readers IS 'who may read every document of the prompt';
ALTER TABLE adapter_audiences ADD CHECK (principal <> 'public');

-- Judged queries are learnt from as votes are: whatever a night changes is noted in its own transaction.
CREATE FUNCTION note_judged_queries() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
        BEGIN
            IF TG_OP = 'INSERT' THEN
                INSERT INTO untaught_votes (interaction_id) SELECT DISTINCT interaction_id FROM added ORDER BY 1;
            ELSIF TG_OP = 'DELETE' THEN
                -- Those that went with their answer have nothing left to learn from.
                INSERT INTO untaught_votes (interaction_id)
                SELECT DISTINCT interaction_id FROM gone JOIN interactions ON interactions.id = interaction_id ORDER BY 1;
            ELSE
                INSERT INTO untaught_votes (interaction_id)
                SELECT DISTINCT interaction_id
                FROM (SELECT interaction_id, chunk_id, value, feedback_ids FROM added
                      EXCEPT SELECT interaction_id, chunk_id, value, feedback_ids FROM gone) AS changed
                ORDER BY 1;
            END IF;
            RETURN NULL;
        END
    $$;
CREATE TRIGGER note_added_queries AFTER INSERT ON judged_queries
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION note_judged_queries();
CREATE TRIGGER note_changed_queries AFTER UPDATE ON judged_queries
    REFERENCING OLD TABLE AS gone NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION note_judged_queries();
CREATE TRIGGER note_gone_queries AFTER DELETE ON judged_queries
    REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION note_judged_queries();
-- Those that nights have judged already.
INSERT INTO untaught_votes (interaction_id) SELECT DISTINCT interaction_id FROM judged_queries ORDER BY interaction_id;

-- What an administrator said of an answer whose voters disagree. Append-only: the last row counts.
CREATE TABLE answer_labels (
    id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    interaction_id bigint NOT NULL REFERENCES interactions ON DELETE CASCADE,
    value          smallint NOT NULL CHECK (value IN (-1, 0, 1)),
    labeller       text NOT NULL,
    labelled_at    timestamptz NOT NULL DEFAULT now()
);
COMMENT ON COLUMN answer_labels.value IS '1: the answer was right; -1: it was not; 0: nobody can tell, and no vote on it counts';
CREATE INDEX answer_labels_interaction ON answer_labels (interaction_id, id DESC);
