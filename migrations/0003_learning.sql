-- The nights: each run with its stages and numbers, the pairs it used, and what became of every vote.

CREATE TABLE runs (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    night        date NOT NULL,
    requested_by text NOT NULL,
    window_from  timestamptz NOT NULL,
    window_to    timestamptz NOT NULL,
    stage        text NOT NULL DEFAULT 'collect'
                 CHECK (stage IN ('collect', 'train', 'serve', 'evaluate', 'gate', 'switch', 'report')),
    state        text NOT NULL DEFAULT 'running' CHECK (state IN ('running', 'done', 'skipped', 'refused', 'failed')),
    attempts     integer NOT NULL DEFAULT 1,
    counts       jsonb NOT NULL DEFAULT '{}',
    tickets      jsonb NOT NULL DEFAULT '[]',
    evaluation   jsonb,
    proof        jsonb,
    gate         jsonb,
    seconds      jsonb NOT NULL DEFAULT '{}',
    adapter      text,
    reason       text,
    error        text,
    started_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
    finished_at  timestamptz,
    CHECK ((state = 'running') = (finished_at IS NULL)),
    CHECK (window_from < window_to)
);
COMMENT ON COLUMN runs.seconds IS 'seconds spent in each stage, by its name';
-- The schedule asks for a night once, however many machines run it; a person may ask again.
CREATE UNIQUE INDEX runs_scheduled ON runs (night) WHERE requested_by = 'schedule';
CREATE INDEX runs_started ON runs (started_at);

CREATE TABLE reports (
    run_id     bigint NOT NULL REFERENCES runs ON DELETE CASCADE,
    language   text NOT NULL CHECK (language IN ('en', 'ko')),
    markdown   text NOT NULL,
    html       text NOT NULL,
    written_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (run_id, language)
);

-- A pair is known by its content, whichever nights use it.
CREATE TABLE pairs (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    sha256          text NOT NULL UNIQUE,
    prompt          jsonb NOT NULL,
    chosen          text NOT NULL,
    rejected        text NOT NULL,
    origin          text NOT NULL CHECK (origin IN ('correction', 'quotation', 'same_question')),
    question        text NOT NULL,
    language        text NOT NULL CHECK (language IN ('en', 'ko')),
    interaction_ids bigint[] NOT NULL,
    feedback_ids    bigint[] NOT NULL,
    voters          text[] NOT NULL,
    access          jsonb NOT NULL,
    weight          real NOT NULL,
    given_at        timestamptz NOT NULL,
    created_at      timestamptz NOT NULL DEFAULT now()
);
COMMENT ON COLUMN pairs.access IS 'who may read each document of the prompt: a list of principals a document';

-- The ledger adapter -> run -> pair -> voter: one rater can be taken out and the adapter trained again.
CREATE TABLE run_pairs (
    run_id  bigint NOT NULL REFERENCES runs ON DELETE CASCADE,
    pair_id bigint NOT NULL REFERENCES pairs,
    state   text NOT NULL CHECK (state IN ('trained', 'held_out', 'dropped')),
    reason  text,
    PRIMARY KEY (run_id, pair_id),
    CHECK ((state = 'dropped') = (reason IS NOT NULL))
);
CREATE INDEX run_pairs_pair ON run_pairs (pair_id);

-- What the latest night made of each vote.
CREATE TABLE feedback_fates (
    feedback_id bigint PRIMARY KEY REFERENCES feedback,
    run_id      bigint NOT NULL REFERENCES runs ON DELETE CASCADE,
    state       text NOT NULL CHECK (state IN ('trained', 'held_out', 'dropped')),
    reason      text,
    CHECK ((state = 'dropped') = (reason IS NOT NULL))
);
