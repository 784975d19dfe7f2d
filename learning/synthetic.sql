-- name: find_replaced
SELECT id, coalesce(standalone_question, question) AS question, language,
       leave_out_examples(messages, cardinality(example_ids)) AS messages, passages, answer, generated, mode,
       mode_reason, again_of, principals, coalesce(citations, '{}') AS citations, finished_at,
       list_example_access(example_ids) AS example_access
FROM interactions
WHERE mode = 'quoted' AND mode_reason = 'quoted_unsupported'
  AND finished_at >= %(window_from)s AND finished_at < %(window_to)s
  AND id IN (SELECT id FROM trainable_interactions)
  AND NOT EXISTS (SELECT FROM feedback WHERE feedback.interaction_id = interactions.id AND given_at < %(window_to)s)
ORDER BY id DESC
LIMIT %(limit)s
