-- name: find_votes
SELECT interaction_id, person, value, correction, current_feedback.reason, question, answer, given_at
FROM current_feedback JOIN interactions ON interactions.id = interaction_id
WHERE value <> 0
ORDER BY current_feedback.id DESC LIMIT %(limit)s

-- name: count_votes
SELECT (SELECT count(*) FROM interactions WHERE finished_at IS NOT NULL) AS answers,
       count(*) FILTER (WHERE value = 1) AS up,
       count(*) FILTER (WHERE value = -1) AS down,
       count(*) FILTER (WHERE value = 0) AS withdrawn,
       count(*) FILTER (WHERE value <> 0 AND correction IS NOT NULL) AS corrections,
       count(DISTINCT person) FILTER (WHERE value <> 0) AS people
FROM current_feedback
