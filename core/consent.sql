-- name: get
SELECT allows_training FROM training_consents WHERE person = %(person)s

-- name: set
-- For all names of the person.
WITH same AS (
    SELECT other.person FROM people AS one JOIN people AS other ON other.voter = one.voter
    WHERE one.person = %(person)s
    UNION SELECT %(person)s
), untaught AS (
    INSERT INTO untaught_votes (interaction_id)
    SELECT DISTINCT interaction_id
    FROM feedback JOIN interactions ON interactions.id = interaction_id
    WHERE feedback.person IN (SELECT person FROM same) OR interactions.asker IN (SELECT person FROM same)
)
INSERT INTO training_consents (person, allows_training)
SELECT person, %(allows_training)s FROM same
ON CONFLICT (person) DO UPDATE SET allows_training = excluded.allows_training, set_at = now()
