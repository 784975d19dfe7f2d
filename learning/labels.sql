-- name: find_votes
SELECT id AS feedback_id, interaction_id, person, value, correction, given_at,
       row_number() OVER (PARTITION BY interaction_id, person ORDER BY id DESC) = 1 AS is_current
FROM trainable_feedback
WHERE given_at >= %(window_from)s AND given_at < %(window_to)s
ORDER BY id

-- name: find_answers
SELECT id, coalesce(standalone_question, question) AS question, language, messages, passages, answer, generated, mode,
       mode_reason, again_of
FROM interactions
WHERE id = ANY(%(ids)s) AND finished_at IS NOT NULL
ORDER BY id
