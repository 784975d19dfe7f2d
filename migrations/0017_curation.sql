-- What curation knows besides the votes: whom an adapter serves, on which side a question is, what was checked again.

-- Who may read a pair: the principals that every document of its prompt lets through. No one: only by several names.
CREATE FUNCTION intersect_access(access jsonb) RETURNS text[]
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$
        SELECT CASE WHEN NOT EXISTS (SELECT FROM jsonb_array_elements(access) AS allow WHERE NOT allow ? 'everyone')
                    THEN ARRAY['everyone']
                    ELSE coalesce((
                        SELECT array_agg(name ORDER BY name)
                        FROM (SELECT DISTINCT jsonb_array_elements_text(allow) AS name
                              FROM jsonb_array_elements(access) AS allow) AS names
                        WHERE name <> 'everyone'
                          AND NOT EXISTS (SELECT FROM jsonb_array_elements(access) AS allow
                                          WHERE NOT allow ? name AND NOT allow ? 'everyone')
                    ), '{}') END
    $$;
ALTER TABLE pairs ADD COLUMN readers text[] GENERATED ALWAYS AS (intersect_access(access)) STORED;
COMMENT ON COLUMN pairs.readers IS 'who may read every document of the prompt';

-- One row and one name an audience that has an adapter of its own; everyone's needs no row.
CREATE TABLE adapter_audiences (
    name       text PRIMARY KEY CHECK (name ~ '^[a-z0-9][a-z0-9-]*$'),
    principal  text NOT NULL UNIQUE CHECK (principal <> 'everyone'),
    created_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON COLUMN adapter_audiences.principal IS 'who is served; the pairs'' documents all let this one through';
ALTER TABLE adapters ADD COLUMN audience text NOT NULL DEFAULT 'everyone';
COMMENT ON COLUMN adapters.audience IS 'who may be served: all of them may read what it was trained on';

-- The side of a question, once decided, for as long as adapters follow each other.
CREATE TABLE question_sides (
    lineage  text NOT NULL,
    question text NOT NULL,
    side     text NOT NULL CHECK (side IN ('trained', 'held_out')),
    run_id   bigint NOT NULL REFERENCES runs ON DELETE CASCADE,
    PRIMARY KEY (lineage, question)
);
COMMENT ON COLUMN question_sides.lineage IS 'the audience and the seed';
COMMENT ON COLUMN question_sides.question IS 'SHA-256 of the normalised question';

-- Somebody looked: what was said of earlier versions of the document still holds in this one.
CREATE TABLE document_checks (
    document_id bigint NOT NULL REFERENCES documents ON DELETE CASCADE,
    version     integer NOT NULL,
    checked_by  text NOT NULL,
    checked_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (document_id, version)
);

-- Nights that somebody's wish to be forgotten asks for, beside the schedule.
CREATE TABLE rebuilds (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    reason       text NOT NULL,
    requested_at timestamptz NOT NULL DEFAULT now(),
    run_id       bigint REFERENCES runs ON DELETE SET NULL
);
COMMENT ON COLUMN rebuilds.run_id IS 'the night that did it; NULL: still waiting';

ALTER TABLE runs ADD COLUMN has_lost_pairs boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN runs.has_lost_pairs IS 'somebody was forgotten since it collected, and with them pairs that it holds';

-- What was forgotten, and what it touched. Who it was is not kept: the receipt is the person's.
ALTER TABLE erasures RENAME TO forget_receipts;
ALTER TABLE forget_receipts RENAME COLUMN counts TO receipt;
ALTER TABLE forget_receipts RENAME COLUMN erased_at TO forgotten_at;
ALTER TABLE forget_receipts ADD COLUMN forgotten_by text NOT NULL DEFAULT 'forget-me';
UPDATE forget_receipts
SET receipt = jsonb_build_object('log', receipt - 'pairs', 'pairs', receipt->'pairs', 'adapters', to_jsonb(adapters));
ALTER TABLE forget_receipts DROP COLUMN adapters;
ALTER TABLE forget_receipts ALTER COLUMN forgotten_by DROP DEFAULT;
COMMENT ON COLUMN forget_receipts.receipt IS 'as `core.forgetting.Receipt` without its number';
