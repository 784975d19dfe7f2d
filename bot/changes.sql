-- name: find
SELECT event_key FROM inbox WHERE platform = %(platform)s AND event_key = ANY(%(keys)s)

-- name: find_reply
SELECT interactions.reply_key
FROM inbox JOIN interactions ON interactions.inbox_id = inbox.id
WHERE inbox.platform = %(platform)s AND inbox.event_key = ANY(%(keys)s) AND interactions.reply_key IS NOT NULL
ORDER BY interactions.id DESC
LIMIT 1

-- name: find_parts
SELECT reply_parts.reply_key
FROM inbox JOIN interactions ON interactions.inbox_id = inbox.id
     JOIN reply_parts ON reply_parts.interaction_id = interactions.id
WHERE inbox.platform = %(platform)s AND inbox.event_key = ANY(%(keys)s)
ORDER BY reply_parts.reply_key

-- name: stop
UPDATE inbox SET payload = payload || jsonb_build_object('stop_requested', true)
WHERE platform = %(platform)s AND event_key = ANY(%(keys)s)
  AND kind = 'question' AND done_at IS NULL AND buried_at IS NULL

-- name: stop_in_conversation
-- Sent again after a while it must not stop what was asked since.
UPDATE inbox SET payload = payload || jsonb_build_object('stop_requested', true)
WHERE conversation_key = %(conversation_key)s AND kind = 'question' AND done_at IS NULL AND buried_at IS NULL
  AND platform = %(platform)s AND payload->>'person' = %(person)s
  AND (payload->>'said_at')::timestamptz <= %(until)s
