-- name: find_unremembered
SELECT id, interaction_id FROM unremembered_votes ORDER BY id LIMIT %(limit)s

-- name: find_answers
SELECT id, coalesce(standalone_question, question) AS question, mode, coalesce(answer, '') AS answer,
       coalesce(passages, '[]') AS passages, coalesce(citations, '{}') AS citations,
       (SELECT value FROM answer_labels WHERE interaction_id = interactions.id ORDER BY id DESC LIMIT 1) AS settled
FROM interactions
WHERE id = ANY(%(ids)s::bigint[]) AND mode IN ('generated', 'quoted', 'refused')
ORDER BY id

-- name: find_votes
-- Read under the lock: what stands now is written after what stood before. One a voter, who may have several names.
WITH standing AS (
    SELECT DISTINCT ON (interaction_id, coalesce(voter, current_feedback.person)) current_feedback.id, interaction_id,
           coalesce(voter, current_feedback.person) AS voter, value, correction, source, right_chunk_id, given_at
    FROM current_feedback LEFT JOIN people ON people.person = current_feedback.person
    WHERE interaction_id = ANY(%(ids)s::bigint[])
      AND id IN (SELECT id FROM trainable_feedback WHERE interaction_id = ANY(%(ids)s::bigint[]))
    ORDER BY interaction_id, coalesce(voter, current_feedback.person), said_at DESC, current_feedback.id DESC
), voters AS (
    SELECT voter, min(own.given_at) AS first_at
    FROM (SELECT DISTINCT voter FROM standing) AS named
    JOIN feedback AS own ON own.person IN (SELECT named.voter UNION SELECT person FROM people WHERE people.voter = named.voter)
    GROUP BY voter
)
SELECT id, interaction_id, voter, value, correction, source, right_chunk_id,
       -- Where nobody voted long ago, everybody is new, and nobody waits.
       CASE WHEN first_at >= now() - make_interval(days => %(quarantine_days)s)
                 AND (SELECT min(given_at) FROM feedback) < now() - make_interval(days => 2 * %(quarantine_days)s)
            THEN first_at + make_interval(days => %(quarantine_days)s) END AS waits_until,
       (SELECT count(*) FROM feedback AS near
        WHERE near.person IN (SELECT standing.voter UNION SELECT person FROM people WHERE people.voter = standing.voter)
          AND near.value <> 0
          AND near.given_at BETWEEN standing.given_at - make_interval(mins => %(burst_minutes)s) / 2
                                AND standing.given_at + make_interval(mins => %(burst_minutes)s) / 2
       ) >= %(burst_votes)s AS is_burst,
       (SELECT count(*) FROM memories JOIN feedback AS kept ON kept.id = feedback_id
        WHERE memories.voter = standing.voter AND memories.interaction_id <> standing.interaction_id
          AND kept.given_at BETWEEN standing.given_at - interval '1 day' AND standing.given_at)::integer AS day_before
FROM standing JOIN voters USING (voter)
WHERE value <> 0
ORDER BY id

-- name: find_right_documents
SELECT chunks.id AS chunk_id, document_id, documents.version
FROM chunks JOIN documents ON documents.id = document_id
WHERE chunks.id = ANY(%(ids)s::bigint[])

-- name: forget_others
-- What an administrator took out stays out, whatever is voted later.
DELETE FROM memories
WHERE interaction_id = ANY(%(ids)s::bigint[]) AND NOT interaction_id = ANY(%(kept)s::bigint[]) AND removed_at IS NULL

-- name: store
INSERT INTO memories (interaction_id, feedback_id, kind, voter, question, answer, language, tokens, waits_until)
SELECT row.*
FROM jsonb_to_recordset(%(rows)s::jsonb)
    AS row(interaction_id bigint, feedback_id bigint, kind text, voter text, question text, answer text, language text,
           tokens integer, waits_until timestamptz)
ON CONFLICT (interaction_id) DO UPDATE
SET feedback_id = excluded.feedback_id, kind = excluded.kind, voter = excluded.voter, question = excluded.question,
    answer = excluded.answer, language = excluded.language, tokens = excluded.tokens,
    waits_until = excluded.waits_until, remembered_at = now()

-- name: forget_documents
DELETE FROM memory_documents WHERE interaction_id = ANY(%(kept)s::bigint[])

-- name: store_documents
INSERT INTO memory_documents (interaction_id, document_id, version, audience_id, is_cited)
SELECT interaction_id, document_id, row.version, documents.audience_id, is_cited
FROM jsonb_to_recordset(%(rows)s::jsonb)
    AS row(interaction_id bigint, document_id bigint, version integer, is_cited boolean)
LEFT JOIN documents ON documents.id = row.document_id

-- name: mark_remembered
DELETE FROM unremembered_votes WHERE id = ANY(%(ids)s::bigint[])

-- name: forget_bursts
-- The first votes of a burst were remembered before anybody could know that it was one.
DELETE FROM memories
WHERE removed_at IS NULL AND kind <> 'expert' AND voter = ANY(%(voters)s::text[])
  AND feedback_id IN (SELECT id FROM feedback WHERE given_at > now() - make_interval(mins => %(burst_minutes)s))
