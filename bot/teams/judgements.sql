-- name: find_newest
SELECT id FROM interactions
WHERE asker = %(person)s AND platform = 'teams' AND conversation_key = %(conversation_key)s AND reply_key IS NOT NULL
ORDER BY id DESC
LIMIT 1
