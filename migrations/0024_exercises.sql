-- Exercises made from documents: what was tried and why it failed, what passed, and what people said of it.

-- One call of `nightbake exercises make`; a call with the same arguments goes on with one that did not end.
CREATE TABLE exercise_makes (
    id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    arguments jsonb NOT NULL,
    model     text,
    seconds   double precision NOT NULL DEFAULT 0,
    began_at  timestamptz NOT NULL DEFAULT now(),
    ended_at  timestamptz
);
COMMENT ON COLUMN exercise_makes.model IS 'that wrote and was asked; NULL where none was';

CREATE TABLE exercises (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    sha256       text NOT NULL UNIQUE,
    kind         text NOT NULL CHECK (kind IN ('definition', 'summary', 'four_choice', 'choice_writing', 'rag', 'unanswerable')),
    origin       text NOT NULL CHECK (origin IN ('structure', 'model', 'evolved')),
    purpose      text NOT NULL CHECK (purpose IN ('training', 'exam')),
    language     text NOT NULL CHECK (language IN ('en', 'ko')),
    question     text NOT NULL,
    answer       text NOT NULL,
    clue         text NOT NULL,
    title        text NOT NULL,
    heading_path text NOT NULL,
    shape        text NOT NULL,
    options      text[] NOT NULL DEFAULT '{}',
    right_option smallint,
    negatives    jsonb NOT NULL DEFAULT '[]',
    parent_id    bigint REFERENCES exercises ON DELETE CASCADE,
    step         text,
    probe        jsonb NOT NULL DEFAULT '{}',
    made_at      timestamptz NOT NULL DEFAULT now(),
    CHECK ((right_option IS NULL) = (options = '{}')),
    CHECK (right_option IS NULL OR right_option BETWEEN 0 AND cardinality(options) - 1)
);
COMMENT ON COLUMN exercises.purpose IS 'an exam item is never trained on';
COMMENT ON COLUMN exercises.clue IS 'the passage that answers it; of an unanswerable item the one that is kept away';
COMMENT ON COLUMN exercises.right_option IS 'place of the right one in options, from 0';
COMMENT ON COLUMN exercises.probe IS 'what the model said: closed_book and open_book, whether it was right; empty where it was not asked';
CREATE INDEX exercises_parent ON exercises (parent_id);

-- Every document whose text stands in an exercise. Who may read them all may see it; with one of them it goes.
CREATE TABLE exercise_documents (
    exercise_id bigint NOT NULL REFERENCES exercises ON DELETE CASCADE,
    document_id bigint NOT NULL REFERENCES documents ON DELETE CASCADE,
    version     integer NOT NULL,
    is_clue     boolean NOT NULL,
    PRIMARY KEY (exercise_id, document_id)
);
CREATE INDEX exercise_documents_document ON exercise_documents (document_id);

CREATE FUNCTION drop_exercises_of_gone_documents() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
    BEGIN
        DELETE FROM exercises WHERE id IN (SELECT exercise_id FROM gone);
        RETURN NULL;
    END
    $$;
CREATE TRIGGER exercise_documents_gone
    AFTER DELETE ON exercise_documents
    REFERENCING OLD TABLE AS gone
    FOR EACH STATEMENT EXECUTE FUNCTION drop_exercises_of_gone_documents();

-- What was tried, by what it was tried on, so that nothing is tried twice; no words of it are kept where it failed.
CREATE TABLE exercise_drafts (
    key               text PRIMARY KEY,
    make_id           bigint NOT NULL REFERENCES exercise_makes ON DELETE CASCADE,
    kind              text NOT NULL,
    origin            text NOT NULL,
    reason            text,
    exercise_id       bigint REFERENCES exercises ON DELETE SET NULL,
    requests          integer NOT NULL DEFAULT 0,
    prompt_tokens     integer NOT NULL DEFAULT 0,
    completion_tokens integer NOT NULL DEFAULT 0,
    model_seconds     double precision NOT NULL DEFAULT 0,
    tried_at          timestamptz NOT NULL DEFAULT now()
);
COMMENT ON COLUMN exercise_drafts.reason IS 'the check that it failed; NULL where it passed all';
CREATE INDEX exercise_drafts_make ON exercise_drafts (make_id);
CREATE INDEX exercise_drafts_exercise ON exercise_drafts (exercise_id);

-- What people said of exercises. Append-only: of each reviewer the last row counts.
CREATE TABLE exercise_reviews (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    exercise_id bigint NOT NULL REFERENCES exercises ON DELETE CASCADE,
    verdict     text NOT NULL CHECK (verdict IN ('accept', 'edit', 'reject')),
    question    text,
    answer      text,
    reviewer    text NOT NULL,
    seconds     real NOT NULL CHECK (seconds >= 0),
    reviewed_at timestamptz NOT NULL DEFAULT now(),
    CHECK ((verdict = 'edit') = (question IS NOT NULL AND answer IS NOT NULL))
);
COMMENT ON COLUMN exercise_reviews.seconds IS 'that the reviewer looked at it';
CREATE INDEX exercise_reviews_exercise ON exercise_reviews (exercise_id, id DESC);

-- Exercises whose documents are all there and say what they said: of the same version, or what is shown of them still
-- stands there word for word.
CREATE VIEW current_exercises AS
    SELECT exercises.*
    FROM exercises
    WHERE NOT EXISTS (
        SELECT FROM exercise_documents AS used
        JOIN documents ON documents.id = used.document_id
        LEFT JOIN document_texts ON document_texts.document_id = documents.id
        WHERE used.exercise_id = exercises.id
          AND (documents.removed_at IS NOT NULL
               OR documents.version <> used.version
                  AND (used.is_clue AND strpos(coalesce(document_texts.text, ''), exercises.clue) = 0
                       OR EXISTS (SELECT FROM jsonb_array_elements(exercises.negatives) AS shown
                                  WHERE (shown ->> 'document_id')::bigint = documents.id
                                    AND strpos(coalesce(document_texts.text, ''), shown ->> 'text') = 0))));

-- Of each exercise what people said by now. A sample is the same whoever looks; exam items and what is answered from
-- passages are looked at always. Where two reviewers are wanted and differ, a third decides.
CREATE FUNCTION judged_exercises(share real, wanted integer)
    RETURNS TABLE (exercise_id bigint, state text, accepts bigint, rejects bigint, question text, answer text)
    LANGUAGE sql STABLE
    AS $$
        WITH last_words AS (
            SELECT DISTINCT ON (exercise_reviews.exercise_id, coalesce(nullif(reviewer, 'erased'), id::text)) *
            FROM exercise_reviews
            ORDER BY exercise_reviews.exercise_id, coalesce(nullif(reviewer, 'erased'), id::text), id DESC
        ), said AS (
            SELECT last_words.exercise_id,
                   count(*) FILTER (WHERE verdict <> 'reject') AS accepts,
                   count(*) FILTER (WHERE verdict = 'reject') AS rejects,
                   (array_agg(last_words.question ORDER BY id DESC) FILTER (WHERE verdict = 'edit'))[1] AS question,
                   (array_agg(last_words.answer ORDER BY id DESC) FILTER (WHERE verdict = 'edit'))[1] AS answer
            FROM last_words GROUP BY last_words.exercise_id
        )
        SELECT exercises.id,
               CASE
                   WHEN coalesce(accepts + rejects, 0) >= wanted AND accepts > rejects THEN 'accepted'
                   WHEN coalesce(accepts + rejects, 0) >= wanted AND accepts < rejects THEN 'rejected'
                   WHEN coalesce(accepts + rejects, 0) >= wanted THEN 'disputed'
                   WHEN coalesce(accepts + rejects, 0) > 0 THEN 'waits'
                   WHEN purpose = 'exam' OR kind IN ('rag', 'unanswerable') THEN 'waits'
                   WHEN ('x' || left(sha256, 8))::bit(32)::bigint & 4294967295 < share * 4294967296 THEN 'waits'
                   ELSE 'unseen'
               END,
               coalesce(accepts, 0), coalesce(rejects, 0),
               coalesce(said.question, exercises.question), coalesce(said.answer, exercises.answer)
        FROM current_exercises AS exercises LEFT JOIN said ON said.exercise_id = exercises.id
    $$;
