-- name: find_questions
SELECT inbox.id AS inbox_id, inbox.platform, inbox.event_key, inbox.done_at IS NOT NULL AS is_done,
       inbox.buried_at IS NOT NULL AS is_buried, inbox.error,
       count(interactions.id) AS interactions, count(interactions.finished_at) AS finished,
       min(interactions.id) AS interaction_id, min(interactions.mode) AS mode, min(interactions.answer) AS answer,
       min(interactions.asker) AS asker
FROM inbox LEFT JOIN interactions ON interactions.inbox_id = inbox.id
WHERE inbox.kind = 'question'
GROUP BY inbox.id
ORDER BY inbox.id

-- name: find_open
SELECT id, kind, error FROM inbox
WHERE done_at IS NULL AND buried_at IS NULL AND kind IN ('question', 'feedback') ORDER BY id

-- name: find_votes
SELECT feedback.interaction_id, feedback.person, feedback.value, coalesce(correction, reason) AS words
FROM current_feedback AS feedback JOIN interactions ON interactions.id = feedback.interaction_id
WHERE interactions.inbox_id IS NOT NULL
ORDER BY feedback.id

-- name: find_repeated_votes
-- One act of one person is one row.
SELECT event_key, count(*) AS rows FROM feedback WHERE event_key IS NOT NULL GROUP BY event_key HAVING count(*) > 1

-- name: find_served
SELECT audience, state, count(*) AS adapters, array_agg(name ORDER BY name) AS names
FROM adapter_states WHERE state IN ('active', 'trial') GROUP BY audience, state HAVING count(*) > 1

-- name: find_unproven
-- Switches that no person made, to an adapter that no gate let through.
SELECT switches.id, adapters.name
FROM switches JOIN adapters ON adapters.id IN (switches.adapter_id, switches.trial_id)
WHERE switches.switched_by = %(machine)s
  AND NOT EXISTS (SELECT FROM runs WHERE runs.adapter = adapters.name AND runs.gate ->> 'verdict' = 'promote')
ORDER BY switches.id

-- name: find_adapters
SELECT name, folder, sha256 FROM adapters WHERE deleted_at IS NULL ORDER BY name

-- name: find_runs
SELECT runs.id, state, counts, adapter, night::text AS night, audience, requested_by, runs.kind,
       (SELECT count(*) FROM reports WHERE reports.run_id = runs.id) AS reports,
       (SELECT count(*) FROM run_pairs WHERE run_pairs.run_id = runs.id AND run_pairs.state = 'trained') AS trained,
       (SELECT count(*) FROM run_pairs WHERE run_pairs.run_id = runs.id AND run_pairs.state = 'held_out') AS held_out,
       (SELECT count(*) FROM feedback_fates WHERE feedback_fates.run_id = runs.id) AS fates
FROM runs WHERE NOT is_rehearsal ORDER BY id
