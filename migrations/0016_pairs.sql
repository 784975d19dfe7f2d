-- Pairs that explain themselves, people's word on them, and where votes go that are no fault of the model's writing.

-- Voters in the ledger are pseudonyms: who knows the key can name them, who reads a pair cannot.
CREATE TABLE voter_key (
    is_only boolean PRIMARY KEY DEFAULT true CHECK (is_only),
    key     text NOT NULL DEFAULT gen_random_uuid()::text || gen_random_uuid()::text
);
INSERT INTO voter_key DEFAULT VALUES;

CREATE FUNCTION name_voter(person text) RETURNS text
    LANGUAGE sql STABLE
    AS $$
        SELECT 'voter-' || left(encode(sha256(convert_to(key || person, 'UTF8')), 'hex'), 16) FROM voter_key
    $$;

ALTER TABLE pairs DROP CONSTRAINT pairs_origin_check;
ALTER TABLE pairs ADD CONSTRAINT pairs_origin_check CHECK (origin IN
    ('try_again', 'correction', 'same_question', 'quotation', 'regenerated', 'faithful', 'distractor'));
ALTER TABLE pairs ADD COLUMN documents jsonb NOT NULL DEFAULT '[]', ADD COLUMN confidence real, ADD COLUMN why text[] NOT NULL DEFAULT '{}';
COMMENT ON COLUMN pairs.documents IS 'id and version of each document of the prompt, as it was shown';
COMMENT ON COLUMN pairs.confidence IS 'in (0, 1): the voters'' weight by the trust in the origin';
COMMENT ON COLUMN pairs.why IS 'what speaks for the pair: its fault, signals and checks, as `kind:value`';
COMMENT ON COLUMN pairs.voters IS 'pseudonyms, by name_voter';
UPDATE pairs SET voters = (SELECT coalesce(array_agg(name_voter(voter) ORDER BY voter), '{}') FROM unnest(voters) AS voter);

-- What people said of a pair. Append-only: the last row counts.
CREATE TABLE pair_reviews (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    pair_id     bigint NOT NULL REFERENCES pairs ON DELETE CASCADE,
    verdict     text NOT NULL CHECK (verdict IN ('approve', 'reject', 'edit')),
    chosen      text,
    reviewer    text NOT NULL,
    reviewed_at timestamptz NOT NULL DEFAULT now(),
    CHECK ((verdict = 'edit') = (chosen IS NOT NULL))
);
COMMENT ON COLUMN pair_reviews.chosen IS 'the preferred answer as the reviewer wrote it';
CREATE INDEX pair_reviews_pair ON pair_reviews (pair_id, id DESC);

-- A run that collects pairs and trains nothing; the newest is kept.
ALTER TABLE runs ADD COLUMN is_rehearsal boolean NOT NULL DEFAULT false;

ALTER TABLE feedback_fates DROP CONSTRAINT feedback_fates_state_check, DROP CONSTRAINT feedback_fates_check;
ALTER TABLE feedback_fates
    ADD CHECK (state IN ('trained', 'held_out', 'evaluation', 'retrieval', 'ticket', 'dropped')),
    ADD CHECK (state <> 'dropped' OR reason IS NOT NULL);

-- What the search should have found, where the night blames the search for a disliked answer.
CREATE TABLE judged_queries (
    interaction_id bigint NOT NULL REFERENCES interactions ON DELETE CASCADE,
    chunk_id       bigint NOT NULL,
    run_id         bigint NOT NULL REFERENCES runs ON DELETE CASCADE,
    question       text NOT NULL,
    language       text NOT NULL CHECK (language IN ('en', 'ko')),
    value          smallint NOT NULL CHECK (value IN (-1, 1)),
    evidence       text NOT NULL CHECK (evidence IN ('right_source', 'correction', 'later_answer', 'reason')),
    confidence     real NOT NULL CHECK (confidence > 0 AND confidence <= 1),
    feedback_ids   bigint[] NOT NULL,
    PRIMARY KEY (interaction_id, chunk_id)
);
COMMENT ON TABLE judged_queries IS 'a question and a passage that answers it (1), or was wrongly found (-1); the chunk may be gone by now';
CREATE INDEX judged_queries_run ON judged_queries (run_id);

-- Judgements that found no other side. The prompt is the interaction's.
CREATE TABLE run_singles (
    run_id         bigint NOT NULL REFERENCES runs ON DELETE CASCADE,
    interaction_id bigint NOT NULL REFERENCES interactions ON DELETE CASCADE,
    is_liked       boolean NOT NULL,
    confidence     real NOT NULL,
    use            text NOT NULL CHECK (use IN ('kto', 'evaluation')),
    PRIMARY KEY (run_id, interaction_id)
);
COMMENT ON COLUMN run_singles.use IS 'kto: offered for training, where single votes outnumber pairs three to one';

-- Answers that the model gave again to a logged prompt, so that a night that runs again finds the same.
CREATE TABLE regenerated (
    interaction_id bigint NOT NULL REFERENCES interactions ON DELETE CASCADE,
    model          text NOT NULL,
    seed           integer NOT NULL,
    answer         text NOT NULL,
    generated_at   timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (interaction_id, model, seed)
);

-- Answers that people did not wait for are few among many.
CREATE INDEX interactions_stopped ON interactions (finished_at) WHERE mode = 'stopped';
CREATE INDEX interactions_replaced ON interactions (id DESC) WHERE mode = 'quoted' AND mode_reason = 'quoted_unsupported';

-- Answers that may be learnt from, whoever judged them and also where nobody did: neither the asker nor the room refuses,
-- and the question as it was understood holds no words of an earlier asker who does.
CREATE VIEW trainable_interactions AS
    SELECT interactions.id
    FROM interactions
    WHERE NOT EXISTS (SELECT FROM training_consents WHERE NOT allows_training AND training_consents.person = asker)
      AND NOT EXISTS (SELECT FROM room_settings
                      WHERE NOT room_settings.allows_training AND starts_with(conversation_key, room || ':'))
      AND NOT EXISTS (SELECT FROM interactions AS earlier
                      JOIN training_consents ON training_consents.person = earlier.asker
                      WHERE NOT allows_training AND earlier.conversation_key = interactions.conversation_key
                        AND earlier.id < interactions.id
                        AND interactions.standalone_question IS DISTINCT FROM interactions.question);
CREATE OR REPLACE VIEW trainable_feedback AS
    SELECT feedback.*
    FROM feedback
    JOIN trainable_interactions ON trainable_interactions.id = feedback.interaction_id
    WHERE NOT EXISTS (SELECT FROM training_consents
                      WHERE NOT allows_training AND training_consents.person = feedback.person);
