-- What the company knows: documents, their chunks, vectors and postings, and who may read them.

CREATE TABLE documents (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    source       text NOT NULL,
    path         text NOT NULL,
    title        text NOT NULL,
    format       text NOT NULL,
    language     text NOT NULL CHECK (language IN ('en', 'ko')),
    sha256       text NOT NULL,
    recipe       text NOT NULL,
    version      integer NOT NULL DEFAULT 1,
    allow        text[] NOT NULL,
    deny         text[] NOT NULL,
    owner        text,
    chunk_count  integer NOT NULL DEFAULT 0,
    term_count   bigint NOT NULL DEFAULT 0,
    ingested_at  timestamptz NOT NULL DEFAULT now(),
    removed_at   timestamptz,
    UNIQUE (source, path)
);
COMMENT ON COLUMN documents.path IS 'below the source, with forward slashes';
COMMENT ON COLUMN documents.sha256 IS 'of the file as it was read';
COMMENT ON COLUMN documents.recipe IS 'how the file was read and cut; another recipe reads it again';
COMMENT ON COLUMN documents.term_count IS 'sum of its chunks'' lengths: what BM25 needs for the mean';

-- Apart from documents, so that a scan for permissions and statistics reads narrow rows.
CREATE TABLE document_texts (
    document_id bigint PRIMARY KEY REFERENCES documents ON DELETE CASCADE,
    text        text NOT NULL
);

CREATE TABLE chunks (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    document_id  bigint NOT NULL REFERENCES documents ON DELETE CASCADE,
    version      integer NOT NULL,
    ordinal      integer NOT NULL,
    heading_path text NOT NULL,
    page         integer,
    start_offset integer NOT NULL,
    end_offset   integer NOT NULL,
    text         text NOT NULL,
    sha256       text NOT NULL,
    language     text NOT NULL CHECK (language IN ('en', 'ko')),
    length       integer NOT NULL,
    CHECK (start_offset >= 0 AND end_offset > start_offset),
    UNIQUE (document_id, ordinal) DEFERRABLE INITIALLY DEFERRED
);
COMMENT ON COLUMN chunks.start_offset IS 'in characters of the document''s text, from 0';
COMMENT ON COLUMN chunks.sha256 IS 'of title, heading path and text: all that is embedded and indexed';
COMMENT ON COLUMN chunks.length IS 'in terms';
CREATE INDEX chunks_sha256 ON chunks (sha256);

CREATE TABLE embedding_models (
    id        smallint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name      text NOT NULL UNIQUE,
    dimension integer NOT NULL
);

-- No HNSW: at its defaults it lost half of the answers, and a permission filter loses the rest without an error.
CREATE TABLE embeddings (
    chunk_id    bigint NOT NULL REFERENCES chunks ON DELETE CASCADE,
    document_id bigint NOT NULL,
    model_id    smallint NOT NULL REFERENCES embedding_models,
    vector      halfvec NOT NULL,
    PRIMARY KEY (chunk_id, model_id)
);
-- Inside the row up to 4,000 dimensions: an exact scan reads every vector and must not fetch each from a second table.
ALTER TABLE embeddings ALTER COLUMN vector SET STORAGE PLAIN;
CREATE INDEX embeddings_document ON embeddings (model_id, document_id);

CREATE TABLE terms (
    id   integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    term text COLLATE "C" NOT NULL UNIQUE
);

-- One row a term and chunk. How many chunks hold a term, how many there are and their mean length are counted over
-- what the asker may see, at each search: nothing to keep in step, and no statistic tells of what is hidden.
CREATE TABLE postings (
    chunk_id    bigint NOT NULL REFERENCES chunks ON DELETE CASCADE,
    document_id bigint NOT NULL,
    term_id     integer NOT NULL,
    length      integer NOT NULL,
    tf          smallint NOT NULL CHECK (tf > 0)
);
CREATE UNIQUE INDEX postings_term ON postings (term_id, chunk_id) INCLUDE (document_id, length, tf);
CREATE INDEX postings_chunk ON postings (chunk_id);

CREATE TABLE memberships (
    person    text NOT NULL,
    principal text NOT NULL,
    PRIMARY KEY (person, principal)
);

-- What could not be read, until it can be or is gone.
CREATE TABLE ingest_errors (
    source          text NOT NULL,
    path            text NOT NULL,
    reason          text NOT NULL,
    first_failed_at timestamptz NOT NULL DEFAULT now(),
    last_failed_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (source, path)
);

-- The one rule of who may read what: named by allow, not named by deny; nobody and nothing unknown gets through.
CREATE FUNCTION visible_documents(principals text[]) RETURNS SETOF documents
    LANGUAGE sql STABLE PARALLEL SAFE
    AS $$
        SELECT * FROM documents
        WHERE removed_at IS NULL AND allow && principals AND NOT deny && principals
    $$;
