-- What votes teach the search: questions that passages answered, or were blamed for.

-- Interactions with a vote that the search has not learnt from. By a trigger, in the vote's own transaction: none is lost,
-- and none is passed over because an earlier one was committed later.
CREATE TABLE untaught_votes (
    id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    interaction_id bigint NOT NULL REFERENCES interactions ON DELETE CASCADE
);

CREATE FUNCTION note_untaught_votes() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
        BEGIN
            INSERT INTO untaught_votes (interaction_id) SELECT DISTINCT interaction_id FROM added;
            RETURN NULL;
        END
    $$;
CREATE TRIGGER note_untaught_votes AFTER INSERT ON feedback
    REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION note_untaught_votes();

-- The votes that are there already.
INSERT INTO untaught_votes (interaction_id) SELECT DISTINCT interaction_id FROM feedback ORDER BY interaction_id;

-- What one person's standing vote says of one passage. A chunk that goes takes its rows along.
CREATE TABLE examples (
    interaction_id bigint NOT NULL REFERENCES interactions ON DELETE CASCADE,
    chunk_id       bigint NOT NULL REFERENCES chunks ON DELETE CASCADE,
    person         text NOT NULL,
    value          smallint NOT NULL CHECK (value IN (-1, 1)),
    feedback_id    bigint NOT NULL,
    question       bytea NOT NULL,
    terms          text[] NOT NULL,
    PRIMARY KEY (interaction_id, chunk_id, person)
);
COMMENT ON COLUMN examples.value IS '1: the passage answers the question; -1: it was blamed for a wrong answer';
COMMENT ON COLUMN examples.question IS 'SHA-256 of the terms: the same question of several people is one';
CREATE INDEX examples_chunk ON examples (chunk_id);

-- The examples that count, as a search reads them: bounded per person and per passage.
CREATE TABLE taught_terms (
    term     text COLLATE "C" NOT NULL,
    chunk_id bigint NOT NULL REFERENCES chunks ON DELETE CASCADE,
    weight   smallint NOT NULL CHECK (weight <> 0),
    PRIMARY KEY (term, chunk_id)
);
COMMENT ON COLUMN taught_terms.weight IS 'questions with the term that it answers, less those that it was blamed for';
CREATE INDEX taught_terms_chunk ON taught_terms (chunk_id);

-- By block of 4,096 chunk ids, because every search reads them. Those of chunks that are gone stay until the block's next
-- change: nobody sees such a chunk.
CREATE TABLE taught_blocks (
    block   integer PRIMARY KEY,
    entries bytea NOT NULL
);
COMMENT ON COLUMN taught_blocks.entries IS 'place, length and added terms of chunks that questions were added to';
ALTER TABLE taught_blocks ALTER COLUMN entries SET STORAGE EXTERNAL;

-- Weights of the light reranker, each with how it did on questions that it was not trained on; the newest counts.
CREATE TABLE learned_ranks (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    model       text NOT NULL,
    weights     float8[] NOT NULL,
    questions   integer NOT NULL,
    fused_ndcg  float8 NOT NULL,
    rank_ndcg   float8 NOT NULL,
    gain_error  float8 NOT NULL,
    is_used     boolean NOT NULL,
    trained_at  timestamptz NOT NULL DEFAULT now()
);
COMMENT ON COLUMN learned_ranks.model IS 'the embedding model whose scores it weighs';
COMMENT ON COLUMN learned_ranks.fused_ndcg IS 'nDCG@10 of the fusion on the same held-out questions as rank_ndcg';
COMMENT ON COLUMN learned_ranks.gain_error IS 'standard error of the mean difference of the two';
