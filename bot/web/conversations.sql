-- name: find_question
SELECT id, payload->>'person' AS person, payload->>'text' AS text,
       done_at IS NOT NULL OR buried_at IS NOT NULL AS is_over
FROM inbox
WHERE id = %(id)s AND platform = 'web' AND kind = 'question' AND payload->>'person' = %(person)s

-- name: find_answer
SELECT interactions.id, inbox_id, question, language, search_notice, answer, mode, mode_reason, passages, citations,
       finished_at, coalesce(vote.value, 0) AS value, vote.correction, vote.reason
FROM interactions
LEFT JOIN LATERAL (
    SELECT value, correction, reason FROM feedback
    WHERE interaction_id = interactions.id AND person = %(person)s ORDER BY said_at DESC, id DESC LIMIT 1
) AS vote ON true
WHERE inbox_id = %(id)s AND finished_at IS NOT NULL

-- name: find_turns
WITH answered AS (
    SELECT interactions.id, inbox_id, question, language, search_notice, answer, mode, mode_reason, passages, citations,
           finished_at
    FROM interactions
    WHERE conversation_key = %(conversation_key)s AND platform = 'web' AND asker = %(person)s
    ORDER BY id DESC LIMIT %(limit)s
), waiting AS (
    SELECT NULL::bigint, id, payload->>'text', 'en', NULL, NULL, NULL, NULL, NULL::jsonb, NULL::integer[],
           NULL::timestamptz
    FROM inbox
    WHERE conversation_key = %(conversation_key)s AND kind = 'question' AND done_at IS NULL AND buried_at IS NULL
      AND NOT EXISTS (SELECT FROM interactions WHERE interactions.inbox_id = inbox.id)
    ORDER BY id DESC LIMIT %(limit)s
), turns AS (
    SELECT * FROM answered UNION ALL SELECT * FROM waiting
)
SELECT turns.*, coalesce(vote.value, 0) AS value, vote.correction, vote.reason
FROM turns
LEFT JOIN LATERAL (
    SELECT value, correction, reason FROM feedback
    WHERE interaction_id = turns.id AND person = %(person)s ORDER BY said_at DESC, id DESC LIMIT 1
) AS vote ON true
ORDER BY inbox_id

-- name: find_asker
SELECT asker FROM interactions WHERE id = %(id)s AND platform = 'web'
