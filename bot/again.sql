-- name: find_question
SELECT inbox.platform, inbox.conversation_key, inbox.payload
FROM interactions JOIN inbox ON inbox.id = interactions.inbox_id
WHERE interactions.id = %(interaction_id)s AND inbox.kind = 'question'
