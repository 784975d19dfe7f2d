-- Golden questions, asked now and then: how many answers were right, and whose fault the wrong ones are.

CREATE TABLE exams (
    id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    asked_at timestamptz NOT NULL DEFAULT now(),
    asked_by text NOT NULL,
    adapter  text,
    cells    jsonb NOT NULL,
    failed   jsonb NOT NULL
);
COMMENT ON COLUMN exams.cells IS 'language -> cell -> number of questions';
COMMENT ON COLUMN exams.failed IS 'questions that were not answered rightly: id, question, cell; no answers, which may be restricted';
