-- name: find_due
SELECT feedback_id, interaction_id, person, question, language, given_at, payload
FROM (
    SELECT vote.id AS feedback_id, asked.id AS interaction_id, vote.person, asked.question, asked.language, vote.given_at,
           inbox.payload, row_number() OVER (PARTITION BY vote.person ORDER BY vote.id DESC) AS place
    FROM serving
    JOIN runs ON runs.adapter = serving.name
    JOIN feedback_fates AS fate ON fate.run_id = runs.id AND fate.state = 'trained'
    JOIN current_feedback AS vote ON vote.id = fate.feedback_id AND vote.value = -1
    JOIN interactions AS asked ON asked.id = vote.interaction_id AND asked.asker = vote.person
    JOIN inbox ON inbox.id = asked.inbox_id
    WHERE asked.platform = %(platform)s AND inbox.kind = 'question'
      AND serving.switched_at > now() - make_interval(hours => %(hours)s)
      AND NOT EXISTS (SELECT FROM told_votes
                      WHERE feedback_id = vote.id AND (told_at IS NOT NULL OR lease_expires_at > now()))
      AND NOT EXISTS (SELECT FROM interactions AS later
                      WHERE later.asker = asked.asker AND later.id > asked.id AND later.began_at > serving.switched_at
                        AND coalesce(later.standalone_question, later.question)
                            = coalesce(asked.standalone_question, asked.question))
) AS due
WHERE place <= %(most)s
ORDER BY feedback_id

-- name: claim
INSERT INTO told_votes (feedback_id, lease_expires_at)
SELECT id, now() + make_interval(secs => %(seconds)s) FROM unnest(%(ids)s::bigint[]) AS id ORDER BY id
ON CONFLICT (feedback_id) DO UPDATE SET lease_expires_at = excluded.lease_expires_at
    WHERE told_votes.told_at IS NULL AND told_votes.lease_expires_at < now()
RETURNING feedback_id

-- name: set_told
UPDATE told_votes SET told_at = now() WHERE feedback_id = ANY(%(ids)s::bigint[])
