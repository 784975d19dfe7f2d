-- Exams that stay as they were pinned, golden questions with what people said of their answers, and what runs measured.

CREATE TABLE pinned_exams (
    id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    sha256    text NOT NULL UNIQUE,
    items     integer NOT NULL CHECK (items > 0),
    pinned_by text NOT NULL,
    pinned_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON COLUMN pinned_exams.sha256 IS 'of its items'' hashes, in order';
COMMENT ON COLUMN pinned_exams.items IS 'when it was pinned; fewer are asked once a document of some has gone';

-- The words as they are asked, and of what they were made. An item goes with its exercise, which goes with its documents.
CREATE TABLE pinned_items (
    exam_id      bigint NOT NULL REFERENCES pinned_exams ON DELETE CASCADE,
    place        integer NOT NULL,
    exercise_id  bigint NOT NULL REFERENCES exercises ON DELETE CASCADE,
    version      integer NOT NULL,
    sha256       text NOT NULL,
    language     text NOT NULL CHECK (language IN ('en', 'ko')),
    question     text NOT NULL,
    options      text[] NOT NULL,
    right_option smallint NOT NULL CHECK (right_option BETWEEN 0 AND cardinality(options) - 1),
    PRIMARY KEY (exam_id, place)
);
COMMENT ON COLUMN pinned_items.version IS 'of the document of its clue';
CREATE INDEX pinned_items_exercise ON pinned_items (exercise_id);

CREATE FUNCTION refuse_change_of_exam() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
    BEGIN
        RAISE EXCEPTION 'a pinned exam never changes; pin another one';
    END
    $$;
CREATE TRIGGER pinned_exams_stay BEFORE UPDATE OF sha256, items ON pinned_exams
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change_of_exam();
CREATE TRIGGER pinned_items_stay BEFORE UPDATE ON pinned_items
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change_of_exam();

-- Questions with known right answers, beside those of the file that GOLDEN_QUESTIONS names.
CREATE TABLE golden_questions (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    language   text NOT NULL CHECK (language IN ('en', 'ko')),
    question   text NOT NULL,
    answer     text NOT NULL,
    accept     text[] NOT NULL,
    sources    text[] NOT NULL,
    principals text[] NOT NULL,
    added_by   text NOT NULL,
    added_at   timestamptz NOT NULL DEFAULT now(),
    CHECK ((accept = '{}') = (sources = '{}'))
);
COMMENT ON COLUMN golden_questions.accept IS 'texts of which a right answer holds at least one; none where no document answers';
COMMENT ON COLUMN golden_questions.sources IS 'paths of documents that answer it';
COMMENT ON COLUMN golden_questions.principals IS 'who asks, that is, what may be read';
CREATE UNIQUE INDEX golden_questions_once ON golden_questions (md5(question), principals);

-- What people said of a golden question, and of the answer that the bot gave to it then. Append-only: the last row counts.
CREATE TABLE golden_reviews (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    golden_id   bigint NOT NULL REFERENCES golden_questions ON DELETE CASCADE,
    verdict     text NOT NULL CHECK (verdict IN ('accept', 'edit', 'reject')),
    said        text,
    adapter     text,
    is_right    boolean,
    reviewer    text NOT NULL,
    reviewed_at timestamptz NOT NULL DEFAULT now(),
    CHECK (is_right IS NULL OR said IS NOT NULL)
);
COMMENT ON COLUMN golden_reviews.said IS 'by the bot; is_right is what the person thinks of it, NULL where they did not say';
CREATE INDEX golden_reviews_golden ON golden_reviews (golden_id, id DESC);

CREATE VIEW reviewed_golden_questions AS
    SELECT golden_questions.*,
           CASE last.verdict WHEN 'reject' THEN 'rejected' WHEN 'accept' THEN 'accepted' WHEN 'edit' THEN 'accepted'
                ELSE 'waits' END AS state
    FROM golden_questions
    LEFT JOIN LATERAL (
        SELECT verdict FROM golden_reviews WHERE golden_id = golden_questions.id ORDER BY golden_reviews.id DESC LIMIT 1
    ) AS last ON true;

-- What `nightbake exam run` measured.
CREATE TABLE exam_runs (
    id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    exam_id bigint REFERENCES pinned_exams ON DELETE SET NULL,
    ran_at  timestamptz NOT NULL DEFAULT now(),
    ran_by  text NOT NULL,
    facts   jsonb NOT NULL,
    results jsonb NOT NULL
);
COMMENT ON COLUMN exam_runs.facts IS 'model, adapters, settings, counts and seconds: what was asked of whom';
COMMENT ON COLUMN exam_runs.results IS 'numbers with their intervals; no question and no answer, which may be restricted';
CREATE INDEX exam_runs_exam ON exam_runs (exam_id);
