-- name: find_disliked
SELECT id, coalesce(standalone_question, question) AS question, language, messages
FROM interactions
WHERE finished_at >= %(since)s AND finished_at < %(until)s
  AND mode IN ('generated', 'quoted') AND messages IS NOT NULL
  AND EXISTS (
      SELECT FROM current_feedback
      WHERE current_feedback.interaction_id = interactions.id AND value = -1 AND given_at < %(until)s
  )
  AND NOT EXISTS (
      SELECT FROM jsonb_array_elements(coalesce(passages, '[]')) AS passage
      WHERE NOT passage -> 'allow' @> '["everyone"]'
  )
  AND NOT EXISTS (
      SELECT FROM run_pairs JOIN pairs ON pairs.id = run_pairs.pair_id
      WHERE run_pairs.run_id = %(run_id)s AND interactions.id = ANY(pairs.interaction_ids)
  )
ORDER BY md5(id::text)
LIMIT %(limit)s

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
