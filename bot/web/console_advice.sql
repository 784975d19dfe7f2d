-- name: find_round
SELECT id, ended_at, adapter, advice FROM advice_rounds WHERE ended_at IS NOT NULL ORDER BY ended_at DESC, id DESC LIMIT 1

-- name: find_picture
SELECT pictures ->> %(language)s::text AS picture
FROM advice_rounds
WHERE ended_at IS NOT NULL AND pictures ? %(language)s::text
ORDER BY ended_at DESC, id DESC LIMIT 1

-- name: find_failed
-- A person's question is read from the log.
SELECT diagnoses.language, interaction_id, context, behaviour, rank, runs,
       coalesce(diagnoses.question, interactions.standalone_question, interactions.question) AS question
FROM diagnoses LEFT JOIN interactions ON interactions.id = interaction_id
WHERE round_id = %(round_id)s AND NOT is_right
ORDER BY context NULLS LAST, behaviour NULLS FIRST, key
LIMIT %(limit)s

-- name: find_experiments
SELECT id, hypothesis, change, before, after, cost, state, opened_at, measured_at, ended_at
FROM experiments ORDER BY id DESC LIMIT %(limit)s
