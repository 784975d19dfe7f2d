-- Questions that the documents do not answer, and what each person was told about the search.

-- No asker and no conversation: a gap says what is missing, not who wanted to know. The interaction leads there for
-- those who may read the log.
CREATE TABLE gaps (
    id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    interaction_id bigint NOT NULL UNIQUE REFERENCES interactions ON DELETE CASCADE,
    question       text NOT NULL,
    language       text NOT NULL CHECK (language IN ('en', 'ko')),
    topic          text NOT NULL,
    nearest        text[] NOT NULL,
    confidence     real,
    filed_at       timestamptz NOT NULL DEFAULT now()
);
COMMENT ON COLUMN gaps.topic IS 'terms of the question, sorted: questions of the same words are one topic';
COMMENT ON COLUMN gaps.nearest IS 'titles of the documents that came closest, best first';
COMMENT ON COLUMN gaps.confidence IS 'in [0, 1], that the passages held the answer; NULL where nothing was found';
CREATE INDEX gaps_filed ON gaps (filed_at);

ALTER TABLE interactions ADD COLUMN search_notice text;
COMMENT ON COLUMN interactions.search_notice IS 'what the person was told about how the question was searched';
