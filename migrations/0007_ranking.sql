-- What the search reads: who sees which chunk in blocks of 4,096 ids, postings packed by term and block, the order of vectors.
-- A chunk's block is id >> 12, its place there id & 4095. Numbers in bytea are two bytes, big end first.

-- Every combination of allow and deny that documents have. A question asks these few, not every document.
CREATE TABLE audiences (
    id     integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    allow  text[] NOT NULL,
    deny   text[] NOT NULL,
    sha256 bytea NOT NULL UNIQUE
);
COMMENT ON COLUMN audiences.sha256 IS 'of both lists, which may be longer than an index entry';

ALTER TABLE documents ADD COLUMN audience_id integer REFERENCES audiences;
COMMENT ON COLUMN documents.audience_id IS 'kept by a trigger; NULL is removed: nobody';
CREATE INDEX documents_audience ON documents (audience_id);

CREATE TABLE audience_blocks (
    block       integer NOT NULL,
    audience_id integer NOT NULL REFERENCES audiences,
    places      bytea NOT NULL,
    term_count  bigint NOT NULL,
    PRIMARY KEY (block, audience_id)
);
COMMENT ON TABLE audience_blocks IS 'the chunks of an audience; kept by triggers on documents and chunks';
COMMENT ON COLUMN audience_blocks.places IS 'of the chunks in their block, two bytes each';
COMMENT ON COLUMN audience_blocks.term_count IS 'sum of the chunks'' lengths: what BM25 needs for the mean';
ALTER TABLE audience_blocks ALTER COLUMN places SET STORAGE EXTERNAL;

CREATE FUNCTION get_audience(wanted_allow text[], wanted_deny text[]) RETURNS integer
    LANGUAGE plpgsql
    AS $$
        DECLARE
            digest CONSTANT bytea := sha256(convert_to(ROW(wanted_allow, wanted_deny)::text, 'UTF8'));
            found  integer;
        BEGIN
            SELECT id INTO found FROM audiences WHERE sha256 = digest;
            IF found IS NULL THEN
                INSERT INTO audiences (allow, deny, sha256) VALUES (wanted_allow, wanted_deny, digest)
                ON CONFLICT DO NOTHING;
                SELECT id INTO found FROM audiences WHERE sha256 = digest;
            END IF;
            RETURN found;
        END
    $$;

-- After keep_withdrawn_documents_hidden, which may set removed_at: triggers run by name.
CREATE FUNCTION set_audience() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
        BEGIN
            NEW.audience_id := CASE WHEN NEW.removed_at IS NULL THEN get_audience(NEW.allow, NEW.deny) END;
            RETURN NEW;
        END
    $$;
CREATE TRIGGER set_audience BEFORE INSERT OR UPDATE ON documents
    FOR EACH ROW EXECUTE FUNCTION set_audience();

-- The one rule of who may read what: named by allow, not named by deny; nobody and nothing unknown gets through.
CREATE FUNCTION visible_audiences(principals text[]) RETURNS SETOF integer
    LANGUAGE sql STABLE PARALLEL SAFE
    AS $$
        SELECT id FROM audiences WHERE allow && principals AND NOT deny && principals
    $$;
CREATE OR REPLACE FUNCTION visible_documents(principals text[]) RETURNS SETOF documents
    LANGUAGE sql STABLE PARALLEL SAFE
    AS $$
        SELECT * FROM documents
        WHERE removed_at IS NULL AND audience_id IN (SELECT visible_audiences(principals))
    $$;

CREATE FUNCTION recount_audience_blocks(wanted integer[]) RETURNS void
    LANGUAGE plpgsql
    AS $$
        BEGIN
            DELETE FROM audience_blocks WHERE block = ANY(wanted);
            INSERT INTO audience_blocks (block, audience_id, places, term_count)
            SELECT one.block, documents.audience_id,
                   string_agg(int2send((chunks.id & 4095)::smallint), ''::bytea ORDER BY chunks.id), sum(chunks.length)
            FROM unnest(wanted) AS one(block)
            JOIN chunks ON chunks.id >= one.block::bigint << 12 AND chunks.id < (one.block + 1)::bigint << 12
            JOIN documents ON documents.id = chunks.document_id
            WHERE documents.audience_id IS NOT NULL
            GROUP BY one.block, documents.audience_id;
        END
    $$;

-- Lock.INDEX of core/locks.py: two that change who sees what would wait for each other's blocks in opposite order.
-- Before any row is locked, so that no one waits for the lock while another waits for its row.
CREATE FUNCTION lock_index() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
        BEGIN
            PERFORM pg_advisory_xact_lock(7140002);
            RETURN NULL;
        END
    $$;
CREATE TRIGGER lock_index BEFORE INSERT OR DELETE OR UPDATE OF allow, deny, removed_at ON documents
    FOR EACH STATEMENT EXECUTE FUNCTION lock_index();

CREATE FUNCTION move_chunks_to_audience() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
        DECLARE
            touched integer[];
        BEGIN
            SELECT array_agg(DISTINCT (chunks.id >> 12)::integer) INTO touched
            FROM changed JOIN former USING (id) JOIN chunks ON chunks.document_id = changed.id
            WHERE changed.audience_id IS DISTINCT FROM former.audience_id;
            IF touched IS NOT NULL THEN
                PERFORM recount_audience_blocks(touched);
            END IF;
            RETURN NULL;
        END
    $$;
CREATE TRIGGER move_chunks_to_audience AFTER UPDATE ON documents
    REFERENCING OLD TABLE AS former NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION move_chunks_to_audience();

CREATE FUNCTION add_chunks_to_audience() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
        BEGIN
            INSERT INTO audience_blocks (block, audience_id, places, term_count)
            SELECT (added.id >> 12)::integer, documents.audience_id,
                   string_agg(int2send((added.id & 4095)::smallint), ''::bytea ORDER BY added.id), sum(added.length)
            FROM added JOIN documents ON documents.id = added.document_id
            WHERE documents.audience_id IS NOT NULL
            GROUP BY 1, 2
            ON CONFLICT (block, audience_id) DO UPDATE
            SET places = audience_blocks.places || excluded.places,
                term_count = audience_blocks.term_count + excluded.term_count;
            RETURN NULL;
        END
    $$;
CREATE TRIGGER add_chunks_to_audience AFTER INSERT ON chunks
    REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION add_chunks_to_audience();

-- Chunks that are gone while their postings are not yet: those count for nobody, and are swept a block at a time.
CREATE TABLE gone_chunks (
    chunk_id bigint PRIMARY KEY
);

-- A document that was removed before it is erased stands in no block, and costs no recount.
CREATE FUNCTION take_chunks_from_audience() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
        DECLARE
            touched integer[];
        BEGIN
            INSERT INTO gone_chunks SELECT id FROM gone;
            SELECT array_agg(DISTINCT audience_blocks.block) INTO touched
            FROM gone JOIN audience_blocks ON audience_blocks.block = (gone.id >> 12)::integer
            WHERE position(int2send((gone.id & 4095)::smallint) IN audience_blocks.places) > 0;
            IF touched IS NOT NULL THEN
                PERFORM recount_audience_blocks(touched);
            END IF;
            RETURN NULL;
        END
    $$;
CREATE TRIGGER take_chunks_from_audience AFTER DELETE ON chunks
    REFERENCING OLD TABLE AS gone
    FOR EACH STATEMENT EXECUTE FUNCTION take_chunks_from_audience();

-- The triggers count what is there already.
UPDATE documents SET audience_id = NULL;

-- Six bytes a chunk: its place in the block, how often it holds the term, its length in terms (both at most 32,767).
CREATE TABLE packed_postings (
    term_id integer NOT NULL,
    block   integer NOT NULL,
    entries bytea NOT NULL,
    PRIMARY KEY (term_id, block)
);
-- Out of line and as it is: an append must not compress again, nor a search unpack.
ALTER TABLE packed_postings ALTER COLUMN entries SET STORAGE EXTERNAL;

-- In no order, several rows a term and block, until they are packed: storing a document only appends.
CREATE TABLE fresh_postings (
    term_id integer NOT NULL,
    block   integer NOT NULL,
    entries bytea NOT NULL
);
ALTER TABLE fresh_postings ALTER COLUMN entries SET STORAGE EXTERNAL;
CREATE INDEX fresh_postings_term ON fresh_postings (term_id);

INSERT INTO packed_postings (term_id, block, entries)
SELECT term_id, (chunk_id >> 12)::integer,
       string_agg(int2send((chunk_id & 4095)::smallint) || int2send(tf) || int2send(least(length, 32767)::smallint),
                  ''::bytea ORDER BY chunk_id)
FROM postings
GROUP BY term_id, (chunk_id >> 12)::integer;
DROP TABLE postings;
CREATE INDEX packed_postings_block ON packed_postings (block);

CREATE FUNCTION pack_postings() RETURNS void
    LANGUAGE sql
    AS $$
        WITH taken AS (
            DELETE FROM fresh_postings RETURNING term_id, block, entries
        )
        INSERT INTO packed_postings (term_id, block, entries)
        SELECT term_id, block, string_agg(entries, ''::bytea) FROM taken GROUP BY term_id, block
        ON CONFLICT (term_id, block) DO UPDATE SET entries = packed_postings.entries || excluded.entries
    $$;

-- Takes the postings of gone chunks out of the packed blocks that hold at least so many of them.
CREATE FUNCTION sweep_postings(least_gone integer) RETURNS void
    LANGUAGE plpgsql
    AS $$
        DECLARE
            swept integer[] := ARRAY(
                SELECT (chunk_id >> 12)::integer FROM gone_chunks GROUP BY 1 HAVING count(*) >= least_gone
            );
        BEGIN
            WITH held AS MATERIALIZED (
                -- The concatenation reads an entry that lies out of line once, and not for every six bytes.
                SELECT term_id, block, entries || ''::bytea AS entries FROM packed_postings WHERE block = ANY(swept)
            ), kept AS (
                SELECT term_id, block, octet_length(entries) AS held_bytes,
                       coalesce((SELECT string_agg(substr(entries, start, 6), ''::bytea ORDER BY start)
                                 FROM generate_series(1, octet_length(entries), 6) AS entry(start)
                                 WHERE NOT EXISTS (
                                     SELECT FROM gone_chunks
                                     WHERE chunk_id = (block::bigint << 12) + get_byte(entries, start - 1) * 256
                                                      + get_byte(entries, start))), ''::bytea) AS entries
                FROM held
            )
            UPDATE packed_postings SET entries = kept.entries
            FROM kept
            WHERE packed_postings.term_id = kept.term_id AND packed_postings.block = kept.block
              AND octet_length(kept.entries) < kept.held_bytes;
            DELETE FROM packed_postings WHERE block = ANY(swept) AND entries = ''::bytea;
            DELETE FROM gone_chunks WHERE (chunk_id >> 12)::integer = ANY(swept);
        END
    $$;

-- In the order in which they were stored, so that a process that holds their signs (retrieval/signs.py) reads what is new.
ALTER TABLE embeddings ADD COLUMN position bigint GENERATED ALWAYS AS IDENTITY;
COMMENT ON COLUMN embeddings.position IS 'ascending in order of commit, for one transaction at a time stores vectors';
CREATE UNIQUE INDEX embeddings_position ON embeddings (model_id, position);
CREATE TRIGGER lock_index BEFORE INSERT ON embeddings
    FOR EACH STATEMENT EXECUTE FUNCTION lock_index();
-- Vectors are found by chunk now.
DROP INDEX embeddings_document;

-- How often what a search reads was changed: a process that holds a part of it asks here whether it still holds.
CREATE TABLE index_version (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    version  bigint NOT NULL
);
INSERT INTO index_version (version) VALUES (1);

CREATE FUNCTION count_index_change() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
        BEGIN
            UPDATE index_version SET version = version + 1;
            RETURN NULL;
        END
    $$;
CREATE TRIGGER count_index_change AFTER INSERT OR UPDATE OR DELETE ON audience_blocks
    FOR EACH STATEMENT EXECUTE FUNCTION count_index_change();
CREATE TRIGGER count_index_change AFTER INSERT ON embeddings
    FOR EACH STATEMENT EXECUTE FUNCTION count_index_change();
