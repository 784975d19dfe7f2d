-- One person on several platforms, labels of documents, and what people were told of better answers.

ALTER TABLE people ADD COLUMN voter text;
COMMENT ON COLUMN people.voter IS 'under whose name this person votes: the first of the employees with this e-mail; NULL: their own';
CREATE INDEX people_voter ON people (voter) WHERE voter IS NOT NULL;
UPDATE people SET voter = found.voter
FROM (SELECT person, min(person) OVER (PARTITION BY email) AS voter
      FROM people WHERE kind = 'member' AND email IS NOT NULL) AS found
WHERE people.person = found.person;

CREATE OR REPLACE VIEW current_feedback AS
    SELECT DISTINCT ON (interaction_id, coalesce(voter, feedback.person)) feedback.*
    FROM feedback LEFT JOIN people ON people.person = feedback.person
    ORDER BY interaction_id, coalesce(voter, feedback.person), feedback.id DESC;

-- Votes whose givers were told that what was learnt from them answers now. Claimed with a lease, then told.
CREATE TABLE told_votes (
    feedback_id      bigint PRIMARY KEY REFERENCES feedback ON DELETE CASCADE,
    lease_expires_at timestamptz NOT NULL,
    told_at          timestamptz
);

ALTER TABLE documents ADD COLUMN sensitivity text;
COMMENT ON COLUMN documents.sensitivity IS 'name of its label, as the source or the file says it; shown, and nothing is granted or denied by it';
