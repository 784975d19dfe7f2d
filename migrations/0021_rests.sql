-- The model rests while a night trains on its accelerator: one row, seen by every process that answers.

CREATE TABLE model_rests (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    run_id   bigint REFERENCES runs ON DELETE SET NULL,
    way      text NOT NULL CHECK (way IN ('sleep', 'restart')),
    began_at timestamptz NOT NULL DEFAULT now(),
    ends_by  timestamptz NOT NULL
);
COMMENT ON COLUMN model_rests.ends_by IS 'after this nobody believes the row: the night that wrote it is gone';
