-- name: find_votes
-- The first judgement of a person in a conversation, as it stands: who votes often is no crowd.
SELECT on_trial, liked FROM (
    SELECT DISTINCT ON (person, conversation_key, adapter)
           coalesce(adapter = trial, false) AS on_trial, value > 0 AS liked, current_feedback.id
    FROM serving
    JOIN interactions ON began_at >= serving.switched_at AND interactions.finished_at >= serving.switched_at
                     AND (adapter = trial OR adapter IS NOT DISTINCT FROM serving.name)
    JOIN current_feedback ON interaction_id = interactions.id
    WHERE trial IS NOT NULL AND model IS NOT NULL AND mode_reason IS DISTINCT FROM 'quoted_server' AND value <> 0
    ORDER BY person, conversation_key, adapter, current_feedback.id
) AS firsts
ORDER BY id

-- name: find_untold
SELECT runs.id AS run_id, facts
FROM switches
CROSS JOIN LATERAL (SELECT id, trial FROM runs WHERE adapter = facts->>'adapter' ORDER BY id DESC LIMIT 1) AS runs
WHERE facts ? 'outcome' AND runs.trial IS NULL
ORDER BY switches.id
