-- name: find_told
-- Held-out pairs whose words everyone may read, when they were answered and now, of people who let them be learnt from;
-- with the votes behind each.
SELECT sha256, question, origin, cardinality(voters) AS voters, votes.liked, votes.disliked, votes.corrected
FROM run_pairs
JOIN pairs ON pairs.id = run_pairs.pair_id
CROSS JOIN LATERAL (
    SELECT count(*) FILTER (WHERE value = 1)::integer AS liked, count(*) FILTER (WHERE value = -1)::integer AS disliked,
           count(*) FILTER (WHERE value <> 0 AND correction IS NOT NULL)::integer AS corrected
    FROM feedback WHERE id = ANY(feedback_ids)
) AS votes
WHERE run_id = %(run_id)s AND state = 'held_out' AND readers = '{everyone}'
  AND NOT EXISTS (
      SELECT FROM interactions
      CROSS JOIN LATERAL jsonb_to_recordset(coalesce(passages, '[]')) AS shown(document_id bigint, allow jsonb)
      LEFT JOIN documents ON documents.id = shown.document_id AND removed_at IS NULL
      WHERE interactions.id = ANY(interaction_ids)
        AND (documents.id IS NULL OR NOT shown.allow ? 'everyone' OR NOT 'everyone' = ANY(documents.allow)
             OR cardinality(documents.deny) > 0))
  AND NOT EXISTS (SELECT FROM unnest(interaction_ids) AS one(id)
                  WHERE NOT EXISTS (SELECT FROM trainable_interactions WHERE trainable_interactions.id = one.id))
ORDER BY sha256

-- name: count_topics
-- What the trained pairs are about: the folder of the first document.
SELECT topic, count(*)::integer AS pairs
FROM (
    SELECT DISTINCT pairs.id, split_part(passages -> 0 ->> 'path', '/', 1) AS topic
    FROM run_pairs
    JOIN pairs ON pairs.id = run_pairs.pair_id
    JOIN interactions ON interactions.id = ANY(pairs.interaction_ids)
    WHERE run_id = %(run_id)s AND state = 'trained' AND passages -> 0 ->> 'path' LIKE '%%/%%'
) AS found
GROUP BY topic ORDER BY count(*) DESC, topic LIMIT %(limit)s
