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
    ORDER BY switches.id DESC
    LIMIT 1;

CREATE OR REPLACE VIEW adapter_states AS
    SELECT id, name, folder, base_model, sha256, manifest, created_at, rejected_at, reason,
           CASE
               WHEN id = (SELECT adapter_id FROM serving) THEN 'active'
               WHEN id = (SELECT trial_id FROM serving) THEN 'trial'
               WHEN rejected_at IS NOT NULL THEN 'rejected'
               WHEN EXISTS (SELECT FROM switches WHERE switches.adapter_id = adapters.id) THEN 'retired'
               ELSE 'candidate'
           END AS state,
           deleted_at
    FROM adapters;
