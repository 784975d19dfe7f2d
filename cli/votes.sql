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

-- name: count_hints
SELECT kind AS name, count(*)::integer AS count FROM signals GROUP BY kind
UNION ALL
SELECT 'abandonment', count(*)::integer FROM interactions WHERE mode = 'stopped' HAVING count(*) > 0
ORDER BY name

-- name: count_fates
SELECT concat_ws(':', state, reason) AS name, count(*)::integer AS count
FROM feedback_fates GROUP BY 1 ORDER BY count(*) DESC, 1

-- name: count_unseen
SELECT count(*)::integer AS count FROM feedback
WHERE NOT EXISTS (SELECT FROM feedback_fates WHERE feedback_id = feedback.id)
