-- What people said and what we said: the inbox, the interactions, the votes, and which adapter is served.

CREATE EXTENSION IF NOT EXISTS vector;

-- Stored before it is acknowledged; a platform that sends an event twice meets the unique key.
CREATE TABLE inbox (
    id               bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    platform         text NOT NULL CHECK (platform IN ('web', 'slack', 'teams', 'cli')),
    event_key        text NOT NULL,
    conversation_key text NOT NULL,
    kind             text NOT NULL CHECK (kind IN ('question', 'feedback')),
    payload          jsonb NOT NULL,
    received_at      timestamptz NOT NULL DEFAULT now(),
    available_at     timestamptz NOT NULL DEFAULT now(),
    attempts         integer NOT NULL DEFAULT 0,
    claimed_by       text,
    lease_expires_at timestamptz,
    done_at          timestamptz,
    buried_at        timestamptz,
    error            text,
    UNIQUE (platform, event_key)
);
CREATE INDEX inbox_open ON inbox (conversation_key, id) WHERE done_at IS NULL AND buried_at IS NULL;

CREATE TABLE adapters (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name        text NOT NULL UNIQUE CHECK (name ~ '^[a-z0-9][a-z0-9-]*$'),
    folder      text NOT NULL,
    base_model  text NOT NULL,
    sha256      text NOT NULL,
    manifest    jsonb NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now(),
    rejected_at timestamptz,
    reason      text
);

-- One INSERT switches what is served, the last row counts, and the history stays. NULL is the base model.
CREATE TABLE switches (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    adapter_id  bigint REFERENCES adapters,
    switched_by text NOT NULL,
    reason      text NOT NULL,
    switched_at timestamptz NOT NULL DEFAULT now()
);

CREATE VIEW serving AS
    SELECT switches.id AS switch_id, adapters.id AS adapter_id, adapters.name, adapters.folder, switched_at, switched_by
    FROM switches LEFT JOIN adapters ON adapters.id = switches.adapter_id
    ORDER BY switches.id DESC
    LIMIT 1;

CREATE VIEW adapter_states AS
    SELECT adapters.*,
           CASE
               WHEN id = (SELECT adapter_id FROM serving) THEN 'active'
               WHEN rejected_at IS NOT NULL THEN 'rejected'
               WHEN EXISTS (SELECT FROM switches WHERE switches.adapter_id = adapters.id) THEN 'retired'
               ELSE 'candidate'
           END AS state
    FROM adapters;

CREATE TABLE interactions (
    id                     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    inbox_id               bigint UNIQUE REFERENCES inbox,
    platform               text NOT NULL,
    conversation_key       text NOT NULL,
    asker                  text NOT NULL,
    principals             text[] NOT NULL,
    question               text NOT NULL,
    language               text NOT NULL CHECK (language IN ('en', 'ko')),
    adapter                text,
    began_at               timestamptz NOT NULL DEFAULT clock_timestamp(),
    reply_key              text,
    standalone_question    text,
    model                  text,
    messages               jsonb,
    sampling               jsonb,
    passages               jsonb,
    generated              text,
    answer                 text,
    mode                   text CHECK (mode IN ('generated', 'quoted', 'refused', 'stopped', 'failed')),
    mode_reason            text,
    citations              integer[],
    prompt_tokens          integer,
    completion_tokens      integer,
    first_token_seconds    real,
    answer_seconds         real,
    finished_at            timestamptz,
    CHECK ((finished_at IS NULL) = (mode IS NULL))
);
COMMENT ON COLUMN interactions.principals IS 'what everyone who sees the reply may read, when it was asked';
COMMENT ON COLUMN interactions.generated IS 'what the model said, also where the answer shown is a quotation';
CREATE INDEX interactions_conversation ON interactions (conversation_key, id);
CREATE INDEX interactions_finished ON interactions (finished_at);
CREATE INDEX interactions_reply ON interactions (reply_key) WHERE reply_key IS NOT NULL;

-- Append-only: the last row of a person on an answer is their judgement, and value 0 takes it back.
CREATE TABLE feedback (
    id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    interaction_id bigint NOT NULL REFERENCES interactions,
    person         text NOT NULL,
    value          smallint NOT NULL CHECK (value IN (-1, 0, 1)),
    source         text NOT NULL,
    correction     text,
    reason         text,
    event_key      text UNIQUE,
    given_at       timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX feedback_current ON feedback (interaction_id, person, id DESC);
CREATE INDEX feedback_given ON feedback (given_at);

CREATE VIEW current_feedback AS
    SELECT DISTINCT ON (interaction_id, person) *
    FROM feedback
    ORDER BY interaction_id, person, id DESC;

CREATE TABLE audit (
    id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    actor   text NOT NULL,
    act     text NOT NULL,
    subject text NOT NULL,
    done_at timestamptz NOT NULL DEFAULT now()
);
