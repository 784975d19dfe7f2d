-- name: find_disliked
SELECT id, coalesce(standalone_question, question) AS question, language,
       leave_out_examples(messages, cardinality(example_ids)) AS messages
FROM interactions
WHERE finished_at >= %(since)s AND finished_at < %(until)s
  AND mode IN ('generated', 'quoted') AND messages IS NOT NULL
  AND EXISTS (
      SELECT FROM current_feedback JOIN trainable_feedback ON trainable_feedback.id = current_feedback.id
      WHERE current_feedback.interaction_id = interactions.id
        AND current_feedback.value = -1 AND current_feedback.given_at < %(until)s
  )
  AND NOT EXISTS (
      SELECT FROM jsonb_to_recordset(coalesce(passages, '[]')) AS shown(document_id bigint, allow jsonb)
      LEFT JOIN documents ON documents.id = shown.document_id AND removed_at IS NULL
      WHERE documents.id IS NULL OR NOT shown.allow ? 'everyone' OR NOT 'everyone' = ANY(documents.allow)
         OR cardinality(documents.deny) > 0
  )
  AND NOT EXISTS (
      SELECT FROM run_pairs JOIN pairs ON pairs.id = run_pairs.pair_id
      WHERE run_pairs.run_id = %(run_id)s AND interactions.id = ANY(pairs.interaction_ids)
  )
ORDER BY md5(id::text)
LIMIT %(limit)s

-- name: find_left
SELECT id FROM interactions WHERE id = ANY(%(ids)s)

-- name: find_slices
SELECT DISTINCT pairs.sha256, kind || ':' || name AS slice
FROM run_pairs
JOIN pairs ON pairs.id = run_pairs.pair_id
JOIN interactions ON interactions.id = ANY(pairs.interaction_ids)
CROSS JOIN LATERAL (
    SELECT 'topic' AS kind, split_part(interactions.passages -> 0 ->> 'path', '/', 1) AS name
    WHERE interactions.passages -> 0 ->> 'path' LIKE '%%/%%'
    UNION ALL
    SELECT 'team', substr(principal, length('group:') + 1)
    FROM unnest(interactions.principals) AS principal WHERE principal LIKE 'group:%%'
) AS found
WHERE run_pairs.run_id = %(run_id)s AND run_pairs.state = 'held_out' AND name <> ''
ORDER BY pairs.sha256, slice
