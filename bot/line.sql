-- name: find_places
-- Of questions that pages follow: where each stands, or that it is over. One that is being answered is neither, and one
-- that came just now is left out.
WITH line AS (
    SELECT id, row_number() OVER (ORDER BY id)::integer AS place
    FROM inbox
    WHERE kind = 'question' AND done_at IS NULL AND buried_at IS NULL
      AND (lease_expires_at IS NULL OR lease_expires_at < now())
)
SELECT inbox.id, payload ->> 'text' AS text, line.place,
       inbox.done_at IS NOT NULL OR inbox.buried_at IS NOT NULL AS is_over
FROM inbox LEFT JOIN line USING (id)
WHERE inbox.id = ANY(%(ids)s::bigint[])
  AND (line.id IS NULL OR received_at < now() - make_interval(secs => %(after_seconds)s))

-- name: take_notices
-- Questions whose people are to be told their place, for the first time or because they have come far since. Each is
-- given to one process: `noticed_at` is set by whoever took it last, and is looked at again under the row's lock.
WITH line AS (
    SELECT id, row_number() OVER (ORDER BY id)::integer AS place
    FROM inbox
    WHERE kind = 'question' AND done_at IS NULL AND buried_at IS NULL
      AND (lease_expires_at IS NULL OR lease_expires_at < now())
), due AS (
    SELECT inbox.id, line.place, notice_place AS former_place
    FROM inbox JOIN line USING (id)
    WHERE platform = ANY(%(platforms)s::text[]) AND attempts = 0
      AND received_at < now() - make_interval(secs => %(after_seconds)s)
      AND CASE WHEN noticed_at IS NULL THEN true
               WHEN notice_key IS NULL THEN noticed_at < now() - make_interval(secs => %(lease_seconds)s)
               ELSE noticed_at < now() - make_interval(secs => %(pause_seconds)s)
                    AND line.place <= notice_place * %(progress)s::float8 END
    ORDER BY notice_key IS NOT NULL, inbox.id
    LIMIT %(limit)s
    FOR UPDATE OF inbox SKIP LOCKED
)
UPDATE inbox SET noticed_at = now(), notice_place = due.place
FROM due
WHERE inbox.id = due.id AND claimed_by IS NULL
RETURNING inbox.id, platform, payload, notice_key, due.place, due.former_place

-- name: give_back
-- The platform took no edit now: the former place is still what people see.
UPDATE inbox SET notice_place = former.place
FROM unnest(%(ids)s::bigint[], %(places)s::integer[]) AS former(id, place)
WHERE inbox.id = former.id

-- name: keep_key
-- Nothing where a worker has begun to answer meanwhile, who does not know of the notice.
UPDATE inbox SET notice_key = %(key)s
WHERE id = %(id)s AND attempts = 0 AND claimed_by IS NULL AND done_at IS NULL AND buried_at IS NULL
RETURNING id

-- name: measure_pace
-- Answers a second since the line formed, for as long all workers were busy; at most the last minute.
WITH began AS (
    SELECT greatest(min(received_at), now() - interval '1 minute') AS at
    FROM inbox
    WHERE kind = 'question' AND done_at IS NULL AND buried_at IS NULL
      AND (lease_expires_at IS NULL OR lease_expires_at < now())
)
SELECT (SELECT count(*) FROM interactions WHERE finished_at > began.at)::float8
           / greatest(extract(epoch FROM now() - began.at)::float8, 1) AS pace
FROM began
WHERE began.at IS NOT NULL
