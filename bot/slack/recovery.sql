-- name: find_last
SELECT extract(epoch FROM received_at)::float8 AS received_at
FROM inbox
WHERE platform = 'slack' AND kind <> %(kind)s
ORDER BY id DESC
LIMIT 1

-- name: find_erased
-- Posts after which somebody was forgotten, by people of whom nothing from before that is left: it may have been them,
-- for who was forgotten is erased with the rest.
WITH forgettings AS MATERIALIZED (
    SELECT forgotten_at AS at FROM forget_receipts
    UNION ALL
    SELECT received_at FROM inbox WHERE platform = 'slack' AND kind = 'forget'
)
SELECT post.key
FROM unnest(%(keys)s::text[], %(people)s::text[], %(times)s::float8[]) AS post(key, person, at)
CROSS JOIN LATERAL (SELECT min(at) AS at FROM forgettings WHERE at > to_timestamp(post.at)) AS next
WHERE next.at IS NOT NULL
  AND NOT EXISTS (SELECT FROM interactions WHERE asker = post.person AND began_at < next.at)

-- name: find_threads
-- Those of ours, and those in which experts reply.
SELECT team, channel, thread_ts, max(max(room)) OVER room AS room,
       -- Denial wins while unknown.
       coalesce(bool_or(bool_or(external)) OVER room, true) AS external,
       min(ts)::float8 AS first_ts, max(ts)::float8 AS last_ts
FROM (
    SELECT payload->>'team' AS team, payload->>'channel' AS channel, payload->>'thread_ts' AS thread_ts,
           payload->>'room' AS room, (payload->>'external')::boolean AS external, (payload->>'ts')::numeric AS ts
    FROM inbox
    WHERE platform = 'slack' AND kind = 'question' AND received_at > now() - make_interval(days => %(days)s)
    UNION ALL
    SELECT split_part(interactions.conversation_key, ':', 2), split_part(expert_requests.thread_key, ':', 1),
           split_part(expert_requests.thread_key, ':', 2), NULL, false,
           split_part(expert_requests.thread_key, ':', 2)::numeric
    FROM expert_requests JOIN interactions ON interactions.id = expert_requests.interaction_id
    WHERE expert_requests.platform = 'slack' AND expert_requests.thread_key IS NOT NULL
      AND expert_requests.asked_at > now() - make_interval(days => %(days)s)
) AS asked
GROUP BY team, channel, thread_ts
WINDOW room AS (PARTITION BY team, channel)
ORDER BY last_ts DESC
LIMIT %(limit)s
