-- Judgements from chat: which source would have been right, and votes on any message of an answer.

ALTER TABLE feedback ADD COLUMN right_chunk_id bigint, ADD COLUMN right_source text;
COMMENT ON COLUMN feedback.right_chunk_id IS 'the passage that the person says holds the answer; it may be gone by now';
COMMENT ON COLUMN feedback.right_source IS 'the right source in the person''s own words, or a link';

CREATE OR REPLACE VIEW current_feedback AS
    SELECT DISTINCT ON (interaction_id, person) *
    FROM feedback
    ORDER BY interaction_id, person, id DESC;

-- Messages of an answer beside its first, which interactions.reply_key names.
CREATE TABLE reply_parts (
    platform       text NOT NULL,
    reply_key      text NOT NULL,
    interaction_id bigint NOT NULL REFERENCES interactions ON DELETE CASCADE,
    PRIMARY KEY (platform, reply_key)
);
CREATE INDEX reply_parts_interaction ON reply_parts (interaction_id);

-- "Try again": a second answer to the same question. A vote up and a vote down between the two are a true pair.
ALTER TABLE interactions ADD COLUMN again_of bigint REFERENCES interactions ON DELETE SET NULL;
CREATE INDEX interactions_again ON interactions (again_of) WHERE again_of IS NOT NULL;

-- Questions that people took from the assistant to a human.
CREATE TABLE expert_requests (
    id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    interaction_id bigint NOT NULL UNIQUE REFERENCES interactions ON DELETE CASCADE,
    platform       text NOT NULL,
    person         text NOT NULL,
    thread_key     text,
    asked_at       timestamptz NOT NULL DEFAULT now(),
    UNIQUE (platform, thread_key)
);
COMMENT ON COLUMN expert_requests.person IS 'who asked for a human, and is told what the expert says';
COMMENT ON COLUMN expert_requests.thread_key IS 'the platform''s id of the message that experts reply to';

-- What experts replied. It becomes a correction, and is told, only once they have agreed to that.
CREATE TABLE expert_replies (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    request_id   bigint NOT NULL REFERENCES expert_requests ON DELETE CASCADE,
    reply_key    text NOT NULL,
    expert       text NOT NULL,
    reply        text NOT NULL,
    replied_at   timestamptz NOT NULL DEFAULT now(),
    consented_at timestamptz,
    told_at      timestamptz,
    UNIQUE (request_id, reply_key)
);

-- What people let slip: a question asked once more, or "no, I meant …". Guesses, each with a confidence; never votes.
CREATE TABLE signals (
    id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    interaction_id bigint NOT NULL REFERENCES interactions ON DELETE CASCADE,
    next_id        bigint NOT NULL UNIQUE REFERENCES interactions ON DELETE CASCADE,
    kind           text NOT NULL CHECK (kind IN ('reask', 'objection')),
    confidence     real NOT NULL CHECK (confidence > 0 AND confidence <= 1),
    noticed_at     timestamptz NOT NULL DEFAULT now()
);
COMMENT ON COLUMN signals.interaction_id IS 'the answer that did not help';
COMMENT ON COLUMN signals.next_id IS 'the question, by the same person, that lets it slip';
CREATE INDEX signals_interaction ON signals (interaction_id);
CREATE INDEX interactions_asker ON interactions (asker, id);
