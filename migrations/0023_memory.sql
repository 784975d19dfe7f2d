-- Corrected and liked answers that stand in prompts as earlier turns, until what answers has learnt them from a night.

-- Answers whose votes have not been looked at for this. By a trigger, in the vote's own transaction: none is lost.
CREATE TABLE unremembered_votes (
    id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    interaction_id bigint NOT NULL REFERENCES interactions ON DELETE CASCADE
);
CREATE FUNCTION note_unremembered_votes() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
        BEGIN
            INSERT INTO unremembered_votes (interaction_id) SELECT DISTINCT interaction_id FROM added ORDER BY 1;
            RETURN NULL;
        END
    $$;
CREATE TRIGGER note_unremembered_votes AFTER INSERT ON feedback
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION note_unremembered_votes();
CREATE TRIGGER note_unremembered_votes AFTER INSERT ON answer_labels
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION note_unremembered_votes();
INSERT INTO unremembered_votes (interaction_id) SELECT DISTINCT interaction_id FROM feedback ORDER BY interaction_id;

CREATE TABLE memories (
    interaction_id bigint PRIMARY KEY REFERENCES interactions ON DELETE CASCADE,
    feedback_id    bigint NOT NULL REFERENCES feedback ON DELETE CASCADE,
    kind           text NOT NULL CHECK (kind IN ('expert', 'correction', 'like')),
    voter          text NOT NULL,
    question       text NOT NULL,
    answer         text NOT NULL,
    language       text NOT NULL CHECK (language IN ('en', 'ko')),
    tokens         integer NOT NULL,
    waits_until    timestamptz,
    remembered_at  timestamptz NOT NULL DEFAULT now(),
    removed_at     timestamptz,
    removed_by     text,
    terms          text[],
    model_id       smallint REFERENCES embedding_models,
    vector         halfvec
);
COMMENT ON COLUMN memories.feedback_id IS 'the vote that it stands by: taken back, the memory is gone';
COMMENT ON COLUMN memories.voter IS 'under whose name that person votes';
COMMENT ON COLUMN memories.tokens IS 'of question and answer in a prompt, estimated';
COMMENT ON COLUMN memories.waits_until IS 'the word of a newcomer waits, as pairs do; NULL: of nobody new';
COMMENT ON COLUMN memories.removed_at IS 'an administrator took it out, for good';
COMMENT ON COLUMN memories.terms IS 'of the question; NULL: not read yet';
COMMENT ON COLUMN memories.model_id IS 'whose vector of the question it is; NULL: that model does not read its language';
CREATE INDEX memories_feedback ON memories (feedback_id);
CREATE INDEX memories_voter ON memories (voter, remembered_at);
-- When somebody voted first, and how often lately.
CREATE INDEX feedback_person ON feedback (person, given_at);

-- The documents that the answer was given from. Without a foreign key: a document that is gone must go on to forbid.
CREATE TABLE memory_documents (
    interaction_id bigint NOT NULL REFERENCES memories ON DELETE CASCADE,
    document_id    bigint NOT NULL,
    version        integer NOT NULL,
    audience_id    integer,
    is_cited       boolean NOT NULL,
    PRIMARY KEY (interaction_id, document_id)
);
COMMENT ON COLUMN memory_documents.version IS 'as the answer was given from it';
COMMENT ON COLUMN memory_documents.audience_id IS 'who might read it when it was remembered';

-- Whether a memory may be used is judged anew for each question: nothing that changed meanwhile is missed.
CREATE VIEW memory_states AS
    SELECT memories.interaction_id,
           CASE
               WHEN removed_at IS NOT NULL
                    OR EXISTS (SELECT FROM pairs CROSS JOIN LATERAL (SELECT verdict FROM pair_reviews
                                                                     WHERE pair_id = pairs.id
                                                                     ORDER BY pair_reviews.id DESC LIMIT 1) AS last
                               WHERE feedback_ids @> ARRAY[feedback_id] AND origin = 'correction'
                                 AND verdict = 'reject') THEN 'removed'
               WHEN NOT EXISTS (SELECT FROM trainable_feedback WHERE trainable_feedback.id = feedback_id)
                    OR EXISTS (SELECT FROM feedback AS own JOIN feedback AS later USING (interaction_id, person)
                               WHERE own.id = feedback_id AND later.id > own.id) THEN 'withdrawn'
               WHEN NOT EXISTS (SELECT FROM memory_documents WHERE memory_documents.interaction_id = memories.interaction_id)
                    OR EXISTS (SELECT FROM memory_documents AS shown
                               LEFT JOIN documents ON documents.id = document_id AND documents.removed_at IS NULL
                               WHERE shown.interaction_id = memories.interaction_id
                                 AND (documents.id IS NULL
                                      OR is_cited AND (documents.version <> shown.version
                                                       OR documents.audience_id IS DISTINCT FROM shown.audience_id)))
                    THEN 'stale'
               WHEN waits_until > now() THEN 'waiting'
               ELSE 'standing'
           END AS state
    FROM memories;
COMMENT ON VIEW memory_states IS 'removed: also by rejecting the correction''s pair; stale: a cited document changed, went, or is for others now';

-- What of it stood in a prompt, and what did not have to.
ALTER TABLE interactions
    ADD COLUMN example_ids bigint[] NOT NULL DEFAULT '{}',
    ADD COLUMN example_tokens integer NOT NULL DEFAULT 0,
    ADD COLUMN spared_tokens integer NOT NULL DEFAULT 0;
COMMENT ON COLUMN interactions.example_ids IS 'answers that stood in the prompt as earlier turns, right before its last message';
COMMENT ON COLUMN interactions.spared_tokens IS 'of examples that the adapter has learnt, so that they need not stand there';
CREATE INDEX interactions_examples ON interactions USING gin (example_ids) WHERE example_ids <> '{}';
CREATE INDEX pairs_feedback ON pairs USING gin (feedback_ids);

-- The prompt as it is without other people's words: what nights train on, and what is left of one when somebody is
-- forgotten.
CREATE FUNCTION leave_out_examples(messages jsonb, examples integer) RETURNS jsonb
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$
        SELECT CASE
            WHEN examples = 0 OR messages IS NULL THEN messages
            ELSE (SELECT jsonb_agg(message ORDER BY place)
                  FROM jsonb_array_elements(messages) WITH ORDINALITY AS listed(message, place)
                  WHERE place < jsonb_array_length(messages) - 2 * examples OR place = jsonb_array_length(messages))
        END
    $$;

-- Who may read the documents of examples, a list each: what was written with them may hold words of theirs. Nobody, where a
-- document is gone or denies anybody, and where the memory is gone itself.
CREATE FUNCTION list_example_access(example_ids bigint[]) RETURNS jsonb
    LANGUAGE sql STABLE
    AS $$
        SELECT coalesce(jsonb_agg(DISTINCT to_jsonb(
                   CASE WHEN documents.id IS NULL OR cardinality(deny) > 0 THEN '{}' ELSE allow END)), '[]')
        FROM unnest(example_ids) AS example(id)
        LEFT JOIN memory_documents ON memory_documents.interaction_id = example.id
        LEFT JOIN documents ON documents.id = document_id AND removed_at IS NULL
    $$;

-- What an adapter has learnt: votes behind a pair that it was trained on, or that it was trained on by themselves.
CREATE FUNCTION has_learnt(adapter text, feedback_id bigint, interaction_id bigint) RETURNS boolean
    LANGUAGE sql STABLE
    AS $$
        SELECT EXISTS (SELECT FROM pairs
                       JOIN run_pairs ON run_pairs.pair_id = pairs.id AND run_pairs.state = 'trained'
                       JOIN runs ON runs.id = run_pairs.run_id
                       WHERE pairs.feedback_ids @> ARRAY[has_learnt.feedback_id] AND runs.adapter = has_learnt.adapter)
            OR EXISTS (SELECT FROM run_singles JOIN runs ON runs.id = run_singles.run_id
                       WHERE run_singles.interaction_id = has_learnt.interaction_id AND use = 'kto' AND is_liked
                         AND runs.adapter = has_learnt.adapter)
    $$;
