-- name: begin
INSERT INTO expert_requests (interaction_id, platform, person)
SELECT id, platform, %(person)s FROM interactions WHERE id = %(interaction_id)s
-- Not DO NOTHING, which returns no row.
ON CONFLICT (interaction_id) DO UPDATE SET interaction_id = excluded.interaction_id
RETURNING id, interaction_id, platform, person, thread_key

-- name: set_thread
UPDATE expert_requests SET thread_key = %(thread_key)s WHERE id = %(id)s

-- name: get
SELECT id, interaction_id, platform, person, thread_key FROM expert_requests WHERE id = %(id)s

-- name: add_reply
INSERT INTO expert_replies (request_id, reply_key, expert, reply)
SELECT id, %(reply_key)s, %(expert)s, %(reply)s
FROM expert_requests
WHERE platform = %(platform)s AND thread_key = %(thread_key)s AND person <> %(expert)s
ON CONFLICT (request_id, reply_key) DO UPDATE SET reply_key = excluded.reply_key
RETURNING id, request_id, reply_key, expert, reply, told_at

-- name: consent
UPDATE expert_replies SET consented_at = coalesce(consented_at, now())
WHERE id = %(id)s AND expert = %(expert)s
RETURNING id, request_id, reply_key, expert, reply, told_at

-- name: set_told
UPDATE expert_replies SET told_at = now() WHERE id = %(id)s
