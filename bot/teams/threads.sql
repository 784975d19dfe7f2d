-- name: find_answered
SELECT 1 AS one FROM interactions WHERE conversation_key = %(conversation_key)s LIMIT 1
