-- name: find_recent
SELECT id, question, began_at
FROM (SELECT DISTINCT ON (question) id, question, began_at
      FROM interactions WHERE asker = %(person)s ORDER BY question, id DESC) AS latest
ORDER BY id DESC
LIMIT %(limit)s

-- name: find_judged
SELECT asked.id, asked.question, vote.given_at, adapter.served_at,
       CASE WHEN adapter.served_at IS NOT NULL THEN 'served'
            WHEN fate.state = 'trained' THEN 'trained'
            WHEN fate.state = 'held_out' THEN 'examined'
            WHEN NOT EXISTS (SELECT FROM trainable_feedback WHERE id = vote.id) THEN 'refused'
            WHEN fate.state = 'dropped' THEN 'unused'
            ELSE 'waiting' END AS effect,
       newer.answer AS answer_now, newer.finished_at AS answered_at, newer.passages
FROM current_feedback AS vote
JOIN interactions AS asked ON asked.id = vote.interaction_id
LEFT JOIN feedback_fates AS fate ON fate.feedback_id = vote.id
LEFT JOIN LATERAL (
    SELECT min(switched_at) AS served_at
    FROM runs JOIN adapters ON adapters.name = runs.adapter JOIN switches ON switches.adapter_id = adapters.id
    WHERE runs.id = fate.run_id AND fate.state = 'trained'
) AS adapter ON true
LEFT JOIN LATERAL (
    SELECT answer, finished_at, passages
    FROM interactions AS later
    WHERE later.asker = asked.asker AND later.id > asked.id AND later.mode IN ('generated', 'quoted')
      AND coalesce(later.standalone_question, later.question) = coalesce(asked.standalone_question, asked.question)
    ORDER BY later.id DESC
    LIMIT 1
) AS newer ON true
WHERE vote.person = %(person)s AND asked.asker = %(person)s AND vote.value = -1
  AND vote.given_at > now() - make_interval(days => %(days)s)
ORDER BY vote.id DESC
LIMIT %(limit)s
