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
