-- Exercises as a start before votes: nights that train on them, and pairs that they make.

ALTER TABLE runs ADD COLUMN kind text NOT NULL DEFAULT 'night' CHECK (kind IN ('night', 'exercises'));
COMMENT ON COLUMN runs.kind IS 'night: from votes; exercises: supervised, from exercises that may be trained on';

ALTER TABLE pairs DROP CONSTRAINT pairs_origin_check;
ALTER TABLE pairs ADD CONSTRAINT pairs_origin_check CHECK (origin IN
    ('try_again', 'correction', 'same_question', 'quotation', 'regenerated', 'faithful', 'distractor',
     'exercise_sampled', 'exercise_distractor'));

-- What a model answered to an exercise, so that a night that runs again finds the same.
CREATE TABLE exercise_samples (
    exercise_id bigint NOT NULL REFERENCES exercises ON DELETE CASCADE,
    model       text NOT NULL,
    seed        integer NOT NULL,
    answer      text NOT NULL,
    sampled_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (exercise_id, model, seed)
);
