-- What to do next: why questions fail, by answers under changed circumstances, and what was tried about it.

CREATE TABLE advice_rounds (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    fingerprint text NOT NULL,
    asked_by    text NOT NULL,
    adapter     text,
    began_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    ended_at    timestamptz,
    advice      jsonb NOT NULL DEFAULT '{}',
    pictures    jsonb NOT NULL DEFAULT '{}'
);
COMMENT ON COLUMN advice_rounds.fingerprint IS 'of file and adapter: a round that was stopped goes on with the same';
COMMENT ON COLUMN advice_rounds.advice IS 'counts, steps with their costs, and the recommended one in words of each language; no question';
COMMENT ON COLUMN advice_rounds.pictures IS 'SVG by language';

-- No word of a document or an answer is kept; a person's question is read from the log, so it goes with it.
CREATE TABLE diagnoses (
    round_id       bigint NOT NULL REFERENCES advice_rounds ON DELETE CASCADE,
    key            text NOT NULL,
    sha256         text NOT NULL,
    language       text NOT NULL CHECK (language IN ('en', 'ko')),
    question       text,
    interaction_id bigint REFERENCES interactions ON DELETE CASCADE,
    feedback_id    bigint REFERENCES feedback ON DELETE CASCADE,
    is_right       boolean NOT NULL,
    context        text,
    behaviour      text,
    rank           integer,
    runs           jsonb NOT NULL DEFAULT '[]',
    diagnosed_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (round_id, key),
    CHECK ((question IS NULL) = (interaction_id IS NOT NULL)),
    CHECK (NOT is_right OR context IS NULL AND behaviour IS NULL)
);
COMMENT ON COLUMN diagnoses.sha256 IS 'of the question with all that its answer is judged by';
COMMENT ON COLUMN diagnoses.is_right IS 'as it is answered now';
COMMENT ON COLUMN diagnoses.rank IS 'of the right passage in a deeper search, from 1';
CREATE INDEX diagnoses_interaction ON diagnoses (interaction_id);
CREATE INDEX diagnoses_feedback ON diagnoses (feedback_id);

CREATE TABLE experiments (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    step        text,
    round_id    bigint REFERENCES advice_rounds,
    hypothesis  jsonb NOT NULL,
    change      jsonb NOT NULL,
    before      jsonb NOT NULL,
    after       jsonb,
    cost        jsonb NOT NULL DEFAULT '{}',
    state       text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'closed', 'dropped')),
    opened_by   text NOT NULL,
    opened_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
    measured_at timestamptz,
    ended_at    timestamptz,
    CHECK ((after IS NULL) = (measured_at IS NULL)),
    CHECK ((state = 'open') = (ended_at IS NULL))
);
COMMENT ON COLUMN experiments.hypothesis IS 'in words, by language';
COMMENT ON COLUMN experiments.before IS 'questions asked and right, and the keys of those that it should mend';
