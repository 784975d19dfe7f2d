-- name: find_disliked
-- Of each answer the vote that says most: a correction, then a passage, then a source in words.
SELECT DISTINCT ON (interactions.id)
       interactions.id AS interaction_id, current_feedback.id AS feedback_id, asker,
       coalesce(standalone_question, question) AS question, language, principals,
       current_feedback.correction, current_feedback.right_chunk_id
FROM current_feedback
JOIN trainable_feedback ON trainable_feedback.id = current_feedback.id
JOIN interactions ON interactions.id = current_feedback.interaction_id
WHERE current_feedback.given_at >= %(since)s AND current_feedback.value = -1
  AND (current_feedback.correction IS NOT NULL OR current_feedback.right_chunk_id IS NOT NULL)
  AND (SELECT sum(value) FROM current_feedback AS said WHERE said.interaction_id = interactions.id) < 0
ORDER BY interactions.id DESC, current_feedback.correction IS NULL, current_feedback.id DESC
LIMIT %(limit)s
