-- When a document itself last changed, apart from when it was read: on the first day everything was read today.

ALTER TABLE source_entries ADD COLUMN changed_at timestamptz;
COMMENT ON COLUMN source_entries.changed_at IS 'as the source says; NULL: it does not';

ALTER TABLE documents ADD COLUMN source_changed_at timestamptz;
COMMENT ON COLUMN documents.source_changed_at IS 'as the source last said; NULL: it never did';
ALTER TABLE documents ADD COLUMN own_changed_at timestamptz;
COMMENT ON COLUMN documents.own_changed_at IS 'as the text that was read says of itself; NULL: it does not';
ALTER TABLE documents ADD COLUMN changed_at timestamptz NOT NULL
    GENERATED ALWAYS AS (coalesce(own_changed_at, source_changed_at, ingested_at)) STORED;
COMMENT ON COLUMN documents.changed_at IS 'what filters and ranking go by; without any date the day of reading';
