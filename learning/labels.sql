-- name: find_votes
-- Of a voter: one person may have names on several platforms.
SELECT id AS feedback_id, interaction_id, voted.person, value, correction, given_at, source, reason, right_chunk_id,
       right_source,
       row_number() OVER (PARTITION BY interaction_id, voted.person ORDER BY said_at DESC, id DESC) = 1 AS is_current,
       (row_number() OVER (PARTITION BY interaction_id, voted.person ORDER BY said_at, id) - 1)::integer AS earlier
FROM trainable_feedback
     LEFT JOIN people ON people.person = trainable_feedback.person
     CROSS JOIN LATERAL (SELECT coalesce(voter, trainable_feedback.person) AS person) AS voted
WHERE given_at >= %(window_from)s AND given_at < %(window_to)s
ORDER BY id

-- name: find_hints
-- A vote that was withdrawn is no reason to read the person's mind: such an answer has no hints either.
SELECT interaction_id, kind, confidence
FROM (
    SELECT interaction_id, kind, confidence
    FROM signals WHERE noticed_at >= %(window_from)s AND noticed_at < %(window_to)s
    UNION ALL
    SELECT id, 'abandonment', 1
    FROM interactions
    WHERE mode = 'stopped' AND finished_at >= %(window_from)s AND finished_at < %(window_to)s
) AS hints
WHERE interaction_id IN (SELECT id FROM trainable_interactions)
  AND NOT EXISTS (SELECT FROM feedback WHERE feedback.interaction_id = hints.interaction_id AND given_at < %(window_to)s)
ORDER BY interaction_id, kind, confidence

-- name: find_outlines
SELECT id, coalesce(standalone_question, question) AS question, language, NULL AS messages, NULL AS passages,
       NULL AS answer, NULL AS generated, mode, mode_reason, again_of, jsonb_array_length(messages) > 0 AS has_prompt
FROM interactions
WHERE id = ANY(%(ids)s) AND finished_at IS NOT NULL
ORDER BY id

-- name: find_answers
-- The prompts of nights hold no words of others: who learns without examples does without them.
SELECT id, coalesce(standalone_question, question) AS question, language,
       leave_out_examples(messages, cardinality(example_ids)) AS messages, passages, answer, generated, mode,
       mode_reason, again_of, principals, coalesce(citations, '{}') AS citations, finished_at,
       list_example_access(example_ids) AS example_access
FROM interactions
WHERE id = ANY(%(ids)s) AND finished_at IS NOT NULL
ORDER BY id

-- name: find_settled
-- The last word that an administrator gave on an answer up to then.
SELECT DISTINCT ON (interaction_id) interaction_id, value
FROM answer_labels WHERE labelled_at < %(window_to)s
ORDER BY interaction_id, id DESC

-- name: find_memberships
-- With the other names of people who are named themselves.
SELECT coalesce(voter, memberships.person) AS person, principal
FROM memberships LEFT JOIN people ON people.person = memberships.person
WHERE principal = ANY(%(principals)s)
UNION
SELECT voter, person FROM people WHERE person = ANY(%(principals)s) AND voter IS NOT NULL
ORDER BY person, principal
