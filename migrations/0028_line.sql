-- Questions that wait: what joins the trace of receipt and answer, the notice of their place in the line, and what limits
-- count by. Columns without a default, so that the table is not written anew and the former version goes on.

ALTER TABLE inbox
    ADD COLUMN traceparent  text,
    ADD COLUMN notice_key   text,
    ADD COLUMN notice_place integer,
    ADD COLUMN noticed_at   timestamptz;
COMMENT ON COLUMN inbox.traceparent IS 'W3C trace context of its receipt; NULL where nothing is traced';
COMMENT ON COLUMN inbox.notice_key IS 'the platform''s id of the message that says its place in the line';
COMMENT ON COLUMN inbox.notice_place IS 'the place that was said last';
COMMENT ON COLUMN inbox.noticed_at IS 'when a process took it on itself to say it';

-- By these the insert counts what a person, and everyone of a workspace, asked within a minute and waits for. A person's
-- name begins with that of the workspace.
CREATE FUNCTION name_workspace(person text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN regexp_replace(person, ':[^:]*$', '');
CREATE INDEX inbox_asked ON inbox ((payload ->> 'person'), received_at) WHERE kind = 'question';
CREATE INDEX inbox_asked_workspace ON inbox (name_workspace(payload ->> 'person'), received_at) WHERE kind = 'question';
-- In this order events are claimed.
CREATE INDEX inbox_next ON inbox ((kind = 'question'), id) WHERE done_at IS NULL AND buried_at IS NULL;
CREATE INDEX inbox_awaited ON inbox ((payload ->> 'person'))
    WHERE kind = 'question' AND done_at IS NULL AND buried_at IS NULL;
CREATE INDEX inbox_awaited_workspace ON inbox (name_workspace(payload ->> 'person'))
    WHERE kind = 'question' AND done_at IS NULL AND buried_at IS NULL;
