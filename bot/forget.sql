-- name: lock
SELECT pg_advisory_xact_lock(%(key)s)

-- name: find_interactions
-- Locked, so that an answer under way waits, and then finds nothing to finish.
SELECT id FROM interactions WHERE asker = %(person)s ORDER BY id FOR UPDATE

-- name: find_adapters
SELECT DISTINCT runs.adapter
FROM runs JOIN run_pairs ON run_pairs.run_id = runs.id JOIN pairs ON pairs.id = run_pairs.pair_id
WHERE run_pairs.state = 'trained' AND runs.adapter IS NOT NULL
  AND (name_voter(%(person)s) = ANY(voters) OR interaction_ids && %(ids)s::bigint[])
ORDER BY runs.adapter

-- name: erase_pairs
WITH theirs AS (
    SELECT id FROM pairs WHERE name_voter(%(person)s) = ANY(voters) OR interaction_ids && %(ids)s::bigint[]
), gone AS (
    DELETE FROM run_pairs WHERE pair_id IN (SELECT id FROM theirs)
)
DELETE FROM pairs WHERE id IN (SELECT id FROM theirs)

-- name: erase_votes
WITH theirs AS (
    SELECT id FROM feedback WHERE person = %(person)s OR interaction_id = ANY(%(ids)s::bigint[])
), gone AS (
    DELETE FROM feedback_fates WHERE feedback_id IN (SELECT id FROM theirs)
)
DELETE FROM feedback WHERE id IN (SELECT id FROM theirs)

-- name: erase_requests
DELETE FROM expert_requests WHERE person = %(person)s

-- name: erase_replies
DELETE FROM expert_replies WHERE expert = %(person)s

-- name: erase_interactions
DELETE FROM interactions WHERE id = ANY(%(ids)s::bigint[])

-- name: erase_inbox
-- A question that was not begun yet is gone with its row; one that was begun since keeps it, and goes the next time.
DELETE FROM inbox
WHERE payload->>'person' = %(person)s AND id IS DISTINCT FROM %(keep_id)s::bigint
  AND NOT EXISTS (SELECT FROM interactions WHERE inbox_id = inbox.id)

-- name: record
WITH erased AS (
    INSERT INTO erasures (counts, adapters)
    VALUES (jsonb_build_object('questions', %(questions)s::integer, 'votes', %(votes)s::integer,
                               'pairs', %(pairs)s::integer), %(adapters)s::text[])
    RETURNING id
)
INSERT INTO audit (actor, act, subject)
SELECT %(by)s, 'erase person',
       'erasure ' || id || coalesce('; adapters trained on it: ' || nullif(array_to_string(%(adapters)s::text[], ', '), ''), '')
FROM erased

-- name: blank_event
UPDATE inbox SET payload = '{}', conversation_key = 'erased', event_key = 'erased:' || id WHERE id = %(id)s
