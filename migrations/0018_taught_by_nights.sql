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

-- Audiences that have an adapter of their own: their nights, what they are served, and which adapter answers a question.
ALTER TABLE runs ADD COLUMN audience text NOT NULL DEFAULT 'everyone';
COMMENT ON COLUMN runs.audience IS 'the principal that everyone who will be served has';
DROP INDEX runs_scheduled;
CREATE UNIQUE INDEX runs_scheduled ON runs (night, audience) WHERE requested_by = 'schedule';
ALTER TABLE switches ADD COLUMN audience text NOT NULL DEFAULT 'everyone';
COMMENT ON COLUMN switches.audience IS 'who is served it from then on; adapter NULL: what everyone is served';
CREATE INDEX switches_audience ON switches (audience, id DESC);

CREATE VIEW served AS
    SELECT DISTINCT ON (switches.audience) switches.audience, switches.id AS switch_id, adapters.id AS adapter_id,
           adapters.name, adapters.folder, switched_at, switched_by
    FROM switches LEFT JOIN adapters ON adapters.id = switches.adapter_id
    ORDER BY switches.audience, switches.id DESC;
COMMENT ON VIEW served IS 'the last switch of each audience';
CREATE OR REPLACE VIEW serving AS
    SELECT switch_id, adapter_id, name, folder, switched_at, switched_by FROM served WHERE audience = 'everyone';
CREATE OR REPLACE VIEW adapter_states AS
    SELECT id, name, folder, base_model, sha256, manifest, created_at, rejected_at, reason,
           CASE
               WHEN id IN (SELECT adapter_id FROM served) THEN 'active'
               WHEN rejected_at IS NOT NULL THEN 'rejected'
               WHEN EXISTS (SELECT FROM switches WHERE switches.adapter_id = adapters.id) THEN 'retired'
               ELSE 'candidate'
           END AS state,
           audience
    FROM adapters;

-- What answers where everyone who will see the reply may read as these principals: an audience's adapter only where all of
-- them belong to it. Whoever belongs to several has the first by name.
CREATE FUNCTION choose_adapter(principals text[]) RETURNS text
    LANGUAGE sql STABLE
    AS $$
        SELECT coalesce(
            (SELECT served.name
             FROM adapter_audiences JOIN served ON served.audience = adapter_audiences.principal
             WHERE adapter_audiences.principal = ANY(principals) AND served.name IS NOT NULL
             ORDER BY adapter_audiences.name LIMIT 1),
            (SELECT name FROM serving))
    $$;
