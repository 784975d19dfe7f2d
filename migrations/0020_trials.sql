-- An adapter on trial answers a share of the conversations; the last row of switches still says all that is served.

ALTER TABLE switches ADD COLUMN trial_id bigint REFERENCES adapters;
ALTER TABLE switches ADD COLUMN trial_share real NOT NULL DEFAULT 0 CHECK (trial_share >= 0 AND trial_share < 1);
ALTER TABLE switches ADD COLUMN facts jsonb NOT NULL DEFAULT '{}';
ALTER TABLE switches ADD CHECK ((trial_id IS NULL) = (trial_share = 0));
ALTER TABLE switches ADD CHECK (trial_id <> adapter_id);
COMMENT ON COLUMN switches.trial_share IS 'share of the conversations that trial_id answers; adapter_id answers the rest';
COMMENT ON COLUMN switches.facts IS 'what a trial found, on the row that ended it';

ALTER TABLE adapters ADD COLUMN deleted_at timestamptz;
COMMENT ON COLUMN adapters.deleted_at IS 'when its folder was removed; the row and its ledger stay';

ALTER TABLE runs ADD COLUMN trial jsonb;
COMMENT ON COLUMN runs.trial IS 'how its adapter fared on trial: votes of both sides, the evidence, and how it ended';

CREATE OR REPLACE VIEW serving AS
    SELECT switches.id AS switch_id, adapters.id AS adapter_id, adapters.name, adapters.folder, switched_at, switched_by,
           trial.id AS trial_id, trial.name AS trial, trial_share
    FROM switches
    LEFT JOIN adapters ON adapters.id = switches.adapter_id
    LEFT JOIN adapters AS trial ON trial.id = switches.trial_id
    WHERE switches.audience = 'everyone'
    ORDER BY switches.id DESC
    LIMIT 1;
COMMENT ON VIEW serving IS 'what answers everyone: the last switch, and the adapter on trial beside it';

CREATE OR REPLACE VIEW adapter_states AS
    SELECT id, name, folder, base_model, sha256, manifest, created_at, rejected_at, reason,
           CASE
               WHEN id IN (SELECT adapter_id FROM served) THEN 'active'
               WHEN id = (SELECT trial_id FROM serving) THEN 'trial'
               WHEN rejected_at IS NOT NULL THEN 'rejected'
               WHEN EXISTS (SELECT FROM switches WHERE switches.adapter_id = adapters.id) THEN 'retired'
               ELSE 'candidate'
           END AS state,
           audience, deleted_at
    FROM adapters;

-- An audience's own adapter is never on trial. A conversation keeps its side for the whole of one, and has another in the next.
DROP FUNCTION choose_adapter(text[]);
CREATE FUNCTION choose_adapter(principals text[], conversation_key text) RETURNS text
    LANGUAGE sql STABLE
    AS $$
        SELECT coalesce(
            (SELECT served.name
             FROM adapter_audiences JOIN served ON served.audience = adapter_audiences.principal
             WHERE adapter_audiences.principal = ANY(principals) AND served.name IS NOT NULL
             ORDER BY adapter_audiences.name LIMIT 1),
            (SELECT CASE WHEN abs(hashtextextended(conversation_key, trial_id) % 100000) < trial_share * 100000 THEN trial
                         ELSE name END
             FROM serving))
    $$;
