-- A judgement stands by when it was said, not by when it was stored: a request that hung is stored after a later one.
-- Rows from before are all as old as this migration, and keep their order by id.

ALTER TABLE feedback ADD COLUMN said_at timestamptz NOT NULL DEFAULT now();
COMMENT ON COLUMN feedback.said_at IS 'by the clock of the platform or page, unless that is minutes ahead of ours';

CREATE OR REPLACE VIEW current_feedback AS
    SELECT DISTINCT ON (interaction_id, coalesce(voter, feedback.person)) feedback.*
    FROM feedback LEFT JOIN people ON people.person = feedback.person
    ORDER BY interaction_id, coalesce(voter, feedback.person), feedback.said_at DESC, feedback.id DESC;

CREATE OR REPLACE VIEW trainable_feedback AS
    SELECT feedback.*
    FROM feedback
    JOIN trainable_interactions ON trainable_interactions.id = feedback.interaction_id
    WHERE NOT EXISTS (SELECT FROM training_consents
                      WHERE NOT allows_training AND training_consents.person = feedback.person);
