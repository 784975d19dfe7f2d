-- name: lock
SELECT pg_advisory_xact_lock(%(key)s)

-- name: lock_questions
-- So that an answer under way waits, and then finds nothing to finish.
SELECT id FROM interactions WHERE asker = %(person)s ORDER BY id FOR UPDATE

-- name: find_used
-- By votes and answers, and by pseudonym; an answer that the person wrote into a pair is the person's as well.
WITH asked AS (
    SELECT id FROM interactions WHERE asker = %(person)s
), voted AS (
    SELECT id, interaction_id FROM feedback
    WHERE person = %(person)s OR interaction_id IN (SELECT id FROM asked)
), theirs AS (
    SELECT id, question FROM pairs
    WHERE feedback_ids && ARRAY(SELECT id FROM voted) OR interaction_ids && ARRAY(SELECT id FROM asked)
       OR name_voter(%(person)s) = ANY(voters)
       OR (SELECT name_voter(voter) FROM people WHERE person = %(person)s) = ANY(voters)
       -- What was written into a pair stands there without personal data, so it is known by the pair that it was written into.
       OR 'review:edited' = ANY(why)
          AND interaction_ids IN (SELECT reviewed.interaction_ids
                                  FROM pair_reviews JOIN pairs AS reviewed ON reviewed.id = pair_id
                                  WHERE reviewer = %(person)s AND verdict = 'edit')
), touched AS (
    SELECT id FROM asked UNION SELECT interaction_id FROM voted
), used AS (
    SELECT run_id, state FROM run_pairs WHERE pair_id IN (SELECT id FROM theirs)
    UNION ALL
    SELECT run_id, 'trained' FROM run_singles WHERE use = 'kto' AND interaction_id IN (SELECT id FROM touched)
)
SELECT ARRAY(SELECT id FROM asked ORDER BY id) AS asked,
       ARRAY(SELECT id FROM voted ORDER BY id) AS votes,
       ARRAY(SELECT id FROM touched ORDER BY id) AS touched,
       ARRAY(SELECT id FROM theirs ORDER BY id) AS pairs,
       ARRAY(SELECT question FROM theirs
             UNION SELECT coalesce(standalone_question, question) FROM interactions WHERE id IN (SELECT id FROM asked)
             ORDER BY question) AS questions,
       ARRAY(SELECT DISTINCT run_id FROM used
             UNION SELECT DISTINCT run_id FROM feedback_fates WHERE feedback_id IN (SELECT id FROM voted)
             ORDER BY 1) AS runs,
       -- And what was made from one of them, as by baking.
       ARRAY(WITH RECURSIVE taught AS (
                 SELECT name FROM adapters
                 WHERE name IN (SELECT adapter FROM runs WHERE id IN (SELECT run_id FROM used WHERE state = 'trained'))
                 UNION
                 SELECT adapters.name FROM adapters JOIN taught ON manifest ->> 'made_from' = taught.name)
             SELECT name FROM taught ORDER BY name) AS adapters

-- name: mark_runs
UPDATE runs SET has_lost_pairs = true
WHERE state = 'running'
  AND (id IN (SELECT run_id FROM run_pairs WHERE pair_id = ANY(%(pairs)s::bigint[]))
       OR id IN (SELECT run_id FROM run_singles
                 WHERE use = 'kto' AND interaction_id = ANY(%(touched)s::bigint[])))

-- name: erase_run_pairs
DELETE FROM run_pairs WHERE pair_id = ANY(%(pairs)s::bigint[])

-- name: erase_reviews
DELETE FROM pair_reviews WHERE reviewer = %(person)s AND verdict = 'edit'

-- name: blank_reviews
-- What somebody said of others' pairs still counts; who it was does not.
UPDATE pair_reviews SET reviewer = 'erased' WHERE reviewer = %(person)s

-- name: blank_checks
UPDATE document_checks SET checked_by = 'erased' WHERE checked_by = %(person)s

-- name: blank_exercise_reviews
-- What somebody wrote into an exercise is of a document and stays.
UPDATE exercise_reviews SET reviewer = 'erased' WHERE reviewer = %(person)s

-- name: erase_golden
-- Questions that are asked as this person asks, and those that were taken from what the person asked.
DELETE FROM golden_questions
WHERE %(person)s = ANY(principals) OR question = ANY(%(questions_asked)s::text[])

-- name: blank_golden
-- What somebody said of others' questions still counts; who it was does not.
WITH reviews AS (
    UPDATE golden_reviews SET reviewer = 'erased' WHERE reviewer = %(person)s
)
UPDATE golden_questions SET added_by = 'erased' WHERE added_by = %(person)s

-- name: blank_exams
WITH runs AS (
    UPDATE exam_runs SET ran_by = 'erased' WHERE ran_by = %(person)s
)
UPDATE pinned_exams SET pinned_by = 'erased' WHERE pinned_by = %(person)s

-- name: erase_pairs
DELETE FROM pairs WHERE id = ANY(%(pairs)s::bigint[])

-- name: erase_sides
DELETE FROM question_sides WHERE question = ANY(%(questions)s::text[])

-- name: erase_singles
DELETE FROM run_singles WHERE interaction_id = ANY(%(touched)s::bigint[])

-- name: erase_judged_queries
DELETE FROM judged_queries
WHERE feedback_ids && %(votes)s::bigint[] OR interaction_id = ANY(%(touched)s::bigint[])

-- name: erase_words
-- Tickets quote corrections; examples quote answers to held-out and disliked questions.
UPDATE runs SET
    tickets = coalesce((SELECT jsonb_agg(ticket) FROM jsonb_array_elements(tickets) AS ticket
                        WHERE NOT (ticket->>'interaction_id')::bigint = ANY(%(touched)s::bigint[])), '[]'),
    evaluation = evaluation #- '{answers,examples}' #- '{disliked,examples}'
WHERE id = ANY(%(runs)s::bigint[])

-- name: erase_reports
DELETE FROM reports WHERE run_id = ANY(%(runs)s::bigint[])

-- name: erase_fates
DELETE FROM feedback_fates WHERE feedback_id = ANY(%(votes)s::bigint[])

-- name: erase_votes
DELETE FROM feedback WHERE id = ANY(%(votes)s::bigint[])

-- name: erase_expert_requests
DELETE FROM expert_requests WHERE person = %(person)s

-- name: erase_expert_replies
DELETE FROM expert_replies WHERE expert = %(person)s

-- name: erase_questions
DELETE FROM interactions WHERE id = ANY(%(asked)s::bigint[])

-- name: erase_events
-- A question that was not begun yet is gone with its row; one that was begun since keeps it, and goes the next time.
DELETE FROM inbox
WHERE payload->>'person' = %(person)s AND id IS DISTINCT FROM %(keep_inbox)s::bigint
  AND NOT EXISTS (SELECT FROM interactions WHERE inbox_id = inbox.id)

-- name: erase_examples
-- Others' prompts in which the person's question or words stood as an example; what was answered to them stays.
UPDATE interactions
SET messages = leave_out_examples(messages, cardinality(example_ids)), example_ids = '{}'
WHERE example_ids <> '{}' AND example_ids && %(touched)s::bigint[]

-- name: erase_diagnoses
-- Those of the person's own questions and corrections go with these; here golden ones that were taken from them.
DELETE FROM diagnoses WHERE question = ANY(%(questions_asked)s::text[])

-- name: blank_rounds
UPDATE advice_rounds SET asked_by = 'erased' WHERE asked_by = %(person)s

-- name: blank_experiments
UPDATE experiments SET opened_by = 'erased' WHERE opened_by = %(person)s

-- name: reject_adapters
UPDATE adapters SET rejected_at = now(), reason = %(reason)s WHERE name = ANY(%(adapters)s::text[])

-- name: queue_rebuild
INSERT INTO rebuilds (reason) VALUES (%(reason)s) RETURNING id

-- name: write_receipt
WITH written AS (
    INSERT INTO forget_receipts (receipt, forgotten_by) VALUES (%(receipt)s, %(by)s) RETURNING id
), audited AS (
    INSERT INTO audit (actor, act, subject)
    SELECT %(by)s, 'forget person',
           'receipt ' || id
           || coalesce('; adapters trained on it: ' || nullif(array_to_string(%(adapters)s::text[], ', '), ''), '')
    FROM written
)
SELECT id FROM written

-- name: complete_receipt
UPDATE forget_receipts SET receipt = %(receipt)s WHERE id = %(number)s
