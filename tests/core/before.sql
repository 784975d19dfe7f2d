-- What the version before does with a question and a vote, as it was at migration 27: copied, and never changed with the
-- code. Raise both with a release.

-- name: receive
INSERT INTO inbox (platform, event_key, conversation_key, kind, payload)
VALUES ('web', 'e' || %(number)s::integer, 'c' || %(number)s::integer, 'question', '{}')
ON CONFLICT (platform, event_key) DO UPDATE SET event_key = excluded.event_key
RETURNING id, xmax = 0 AS is_new

-- name: claim
UPDATE inbox
SET claimed_by = 'before', attempts = attempts + 1, lease_expires_at = now() + make_interval(secs => 30)
WHERE id = (
    SELECT id FROM inbox AS candidate
    WHERE done_at IS NULL AND buried_at IS NULL AND available_at <= now()
      AND (lease_expires_at IS NULL OR lease_expires_at < now())
      AND NOT EXISTS (
          SELECT FROM inbox AS earlier
          WHERE earlier.conversation_key = candidate.conversation_key AND earlier.kind = candidate.kind
            AND earlier.id < candidate.id AND earlier.done_at IS NULL AND earlier.buried_at IS NULL)
    ORDER BY id
    LIMIT 1
    FOR UPDATE SKIP LOCKED
)
RETURNING id, platform, conversation_key, kind, payload, attempts, received_at, claimed_by

-- name: begin
INSERT INTO interactions (inbox_id, platform, conversation_key, asker, principals, question, language, adapter)
SELECT id, platform, conversation_key, 'user:ann', '{everyone}', 'When?', 'en',
       choose_adapter('{everyone}', conversation_key)
FROM inbox WHERE event_key = 'e' || %(number)s::integer
RETURNING id

-- name: finish_interaction
UPDATE interactions
SET answer = 'Never.', mode = 'generated', standalone_question = 'When?', model = 'base', messages = '[]',
    example_ids = '{}', example_tokens = 0, spared_tokens = 0, sampling = '{}', passages = '[]', generated = 'Never.',
    citations = '{1}', prompt_tokens = 1, completion_tokens = 1, first_token_seconds = 0, answer_seconds = 0,
    finished_at = clock_timestamp()
FROM inbox
WHERE inbox.id = inbox_id AND event_key = 'e' || %(number)s::integer
RETURNING interactions.id

-- name: record
INSERT INTO feedback (interaction_id, person, value, source, event_key)
SELECT interactions.id, 'user:ann', 1, 'web', 'inbox:' || inbox.id
FROM interactions JOIN inbox ON inbox.id = inbox_id
WHERE inbox.event_key = 'e' || %(number)s::integer
ON CONFLICT (event_key) DO UPDATE SET event_key = excluded.event_key
RETURNING id

-- name: finish
UPDATE inbox SET done_at = now(), lease_expires_at = NULL, error = NULL
WHERE event_key = 'e' || %(number)s::integer AND claimed_by = 'before'
