-- name: find_used
-- By votes and answers, not by voters: those may stand under other names.
WITH asked AS (
    SELECT id FROM interactions WHERE asker = %(person)s
), voted AS (
    SELECT id, interaction_id FROM feedback
    WHERE person = %(person)s OR interaction_id IN (SELECT id FROM asked)
), theirs AS (
    SELECT id, question FROM pairs
    WHERE feedback_ids && ARRAY(SELECT id FROM voted) OR interaction_ids && ARRAY(SELECT id FROM asked)
), used AS (
    SELECT run_id, state FROM run_pairs WHERE pair_id IN (SELECT id FROM theirs)
), touched AS (
    SELECT id FROM asked UNION SELECT interaction_id FROM voted
)
SELECT ARRAY(SELECT id FROM theirs ORDER BY id) AS pairs,
       ARRAY(SELECT DISTINCT run_id FROM used
             UNION SELECT DISTINCT run_id FROM feedback_fates WHERE feedback_id IN (SELECT id FROM voted)
             ORDER BY 1) AS runs,
       ARRAY(SELECT DISTINCT adapter FROM runs
             WHERE adapter IS NOT NULL AND id IN (SELECT run_id FROM used WHERE state = 'trained')
               AND EXISTS (SELECT FROM adapters WHERE adapters.name = adapter)
             ORDER BY adapter) AS adapters,
       ARRAY(SELECT DISTINCT question FROM theirs ORDER BY question) AS questions,
       ARRAY(SELECT id FROM touched ORDER BY id) AS interactions

-- name: erase_run_pairs
DELETE FROM run_pairs WHERE pair_id = ANY(%(pairs)s::bigint[])

-- name: erase_pairs
DELETE FROM pairs WHERE id = ANY(%(pairs)s::bigint[])

-- name: erase_sides
DELETE FROM question_sides WHERE question = ANY(%(questions)s::text[])

-- name: erase_words
-- Tickets quote corrections; examples quote answers to held-out questions.
UPDATE runs SET
    tickets = coalesce((SELECT jsonb_agg(ticket) FROM jsonb_array_elements(tickets) AS ticket
                        WHERE NOT (ticket->>'interaction_id')::bigint = ANY(%(interactions)s::bigint[])), '[]'),
    evaluation = evaluation #- '{answers,examples}'
WHERE id = ANY(%(runs)s::bigint[])

-- name: erase_reports
DELETE FROM reports WHERE run_id = ANY(%(runs)s::bigint[])

-- name: erase_votes
WITH theirs AS (
    SELECT id FROM feedback
    WHERE person = %(person)s OR interaction_id IN (SELECT id FROM interactions WHERE asker = %(person)s)
), fates AS (
    DELETE FROM feedback_fates WHERE feedback_id IN (SELECT id FROM theirs)
)
DELETE FROM feedback WHERE id IN (SELECT id FROM theirs)

-- name: erase_expert_requests
DELETE FROM expert_requests WHERE person = %(person)s

-- name: erase_expert_replies
DELETE FROM expert_replies WHERE expert = %(person)s

-- name: erase_questions
DELETE FROM interactions WHERE asker = %(person)s

-- name: erase_events
DELETE FROM inbox
WHERE payload->>'person' = %(person)s AND NOT EXISTS (SELECT FROM interactions WHERE inbox_id = inbox.id)

-- name: queue_rebuild
INSERT INTO rebuilds (reason) VALUES (%(reason)s) RETURNING id

-- name: write_receipt
INSERT INTO forget_receipts (receipt, forgotten_by) VALUES (%(receipt)s, %(by)s) RETURNING id
