-- Where documents come from: what each source holds, how far it was read, and what an administrator took away.

CREATE TABLE sources (
    name              text PRIMARY KEY,
    kind              text NOT NULL,
    run               bigint NOT NULL DEFAULT 0,
    cursor            text,
    listed_in_full_at timestamptz,
    began_at          timestamptz,
    finished_at       timestamptz,
    error             text,
    counts            jsonb NOT NULL DEFAULT '{}'
);
COMMENT ON COLUMN sources.cursor IS 'where the next listing goes on; given and read by the source alone';
COMMENT ON COLUMN sources.error IS 'why the last run ended early; what it had not come to stays as it is';

-- What a source says it holds, whether it is read yet or not. A run that is cut short goes on from here.
CREATE TABLE source_entries (
    source     text NOT NULL,
    key        text NOT NULL,
    path       text NOT NULL,
    version    text,
    size_bytes bigint,
    handle     jsonb NOT NULL DEFAULT '{}',
    allow      text[] NOT NULL,
    deny       text[] NOT NULL,
    owner      text,
    seen_run   bigint NOT NULL,
    PRIMARY KEY (source, key)
);
COMMENT ON COLUMN source_entries.key IS 'the source''s own id, which a new name does not change';
COMMENT ON COLUMN source_entries.version IS 'equal to that of the document: need not be read; NULL: read to see';
COMMENT ON COLUMN source_entries.handle IS 'what the source needs to fetch it';
CREATE INDEX source_entries_path ON source_entries (source, path);

ALTER TABLE documents ADD COLUMN source_version text;
COMMENT ON COLUMN documents.source_version IS 'of the source, when the document was last read';

-- What an administrator took away stays away, whatever its source says. Apart from documents, so that it outlives
-- the text that is erased.
CREATE TABLE withdrawals (
    source       text NOT NULL,
    path         text NOT NULL,
    withdrawn_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (source, path)
);

CREATE FUNCTION keep_withdrawn_documents_hidden() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
        BEGIN
            IF NEW.removed_at IS NULL
               AND EXISTS (SELECT FROM withdrawals WHERE source = NEW.source AND path = NEW.path) THEN
                NEW.removed_at := now();
            END IF;
            RETURN NEW;
        END
    $$;
-- Here and not in the code that stores: an ingest that was reading the file when it was withdrawn must not show it again.
CREATE TRIGGER keep_withdrawn_documents_hidden BEFORE INSERT OR UPDATE ON documents
    FOR EACH ROW EXECUTE FUNCTION keep_withdrawn_documents_hidden();

-- For the copies of a document in other sources.
CREATE INDEX documents_sha256 ON documents (sha256);
