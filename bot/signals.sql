-- name: find_earlier
-- Newest first, of the person's last few; only what was answered by the time of the question, for nobody objects to an
-- answer that is not there.
SELECT earlier.id, earlier.question, earlier.conversation_key = said.conversation_key AS is_same_conversation,
       said.question AS said
FROM interactions AS said
CROSS JOIN LATERAL (
    SELECT id, platform, question, conversation_key, finished_at
    FROM interactions
    WHERE asker = said.asker AND id < said.id
    ORDER BY id DESC
    LIMIT %(limit)s
) AS earlier
WHERE said.id = %(interaction_id)s AND said.again_of IS NULL AND earlier.platform = said.platform
  AND earlier.finished_at <= said.began_at
  AND earlier.finished_at > said.began_at - make_interval(secs => %(within_seconds)s)
ORDER BY earlier.id DESC

-- name: record
INSERT INTO signals (interaction_id, next_id, kind, confidence)
VALUES (%(interaction_id)s, %(next_id)s, %(kind)s, %(confidence)s)
ON CONFLICT (next_id) DO NOTHING
