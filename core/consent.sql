-- name: get
SELECT allows_training FROM training_consents WHERE person = %(person)s

-- name: set
WITH untaught AS (
    INSERT INTO untaught_votes (interaction_id)
    SELECT DISTINCT interaction_id
    FROM feedback JOIN interactions ON interactions.id = interaction_id
    WHERE %(person)s IN (feedback.person, interactions.asker)
)
INSERT INTO training_consents (person, allows_training) VALUES (%(person)s, %(allows_training)s)
ON CONFLICT (person) DO UPDATE SET allows_training = excluded.allows_training, set_at = now()
