-- name: find_run
SELECT id FROM runs
WHERE (%(run_id)s::bigint IS NULL OR id = %(run_id)s) AND counts ? 'reconciled'
ORDER BY id DESC LIMIT 1

-- name: find_pairs
SELECT pairs.id, sha256, origin, question, pairs.chosen, rejected, language, confidence, cardinality(voters) AS voters,
       run_pairs.state, run_pairs.reason,
       (SELECT verdict FROM pair_reviews WHERE pair_id = pairs.id ORDER BY pair_reviews.id DESC LIMIT 1) AS verdict
FROM run_pairs JOIN pairs ON pairs.id = pair_id
WHERE run_id = %(run_id)s
  AND (%(origin)s::text IS NULL OR origin = %(origin)s)
  AND (%(state)s::text IS NULL OR run_pairs.state = %(state)s)
  AND (%(words)s::text IS NULL OR strpos(lower(concat_ws(' ', question, pairs.chosen, rejected)), lower(%(words)s)) > 0)
ORDER BY confidence DESC NULLS LAST, pairs.id
LIMIT %(limit)s

-- name: find_pair
SELECT id, sha256, origin, question, language, prompt, chosen, rejected, interaction_ids, feedback_ids, voters, access,
       documents, weight, confidence, why, given_at, created_at
FROM pairs
WHERE id = %(id)s::bigint OR starts_with(sha256, %(prefix)s::text)
ORDER BY id LIMIT 2

-- name: find_runs
SELECT run_id, night, is_rehearsal, run_pairs.state, run_pairs.reason, adapter
FROM run_pairs JOIN runs ON runs.id = run_id
WHERE pair_id = %(id)s ORDER BY run_id

-- name: find_reviews
SELECT verdict, chosen, reviewer, reviewed_at FROM pair_reviews WHERE pair_id = %(id)s ORDER BY pair_reviews.id

-- name: find_votes
-- Every vote of its answers with its history; who gave it is a pseudonym.
SELECT feedback.id AS feedback_id, interaction_id, name_voter(voted.person) AS voter, value, source, reason,
       feedback.given_at,
       correction IS NOT NULL AS has_correction, feedback.id = ANY(feedback_ids) AS is_behind_it,
       row_number() OVER (PARTITION BY interaction_id, voted.person ORDER BY said_at DESC, feedback.id DESC) = 1 AS is_current
FROM pairs JOIN feedback ON interaction_id = ANY(interaction_ids)
     LEFT JOIN people ON people.person = feedback.person
     CROSS JOIN LATERAL (SELECT coalesce(voter, feedback.person) AS person) AS voted
WHERE pairs.id = %(id)s ORDER BY feedback.id

-- name: find_documents_now
SELECT (shown ->> 0)::bigint AS document_id, (shown ->> 1)::integer AS shown_version, title, version, owner,
       removed_at IS NULL AND version = (shown ->> 1)::integer AS is_unchanged
FROM pairs CROSS JOIN LATERAL jsonb_array_elements(documents) AS shown
     LEFT JOIN documents ON documents.id = (shown ->> 0)::bigint
WHERE pairs.id = %(id)s ORDER BY document_id

-- name: find_stale
-- Documents that changed since they were shown, and so keep pairs of the run out; those that are gone cannot be checked.
SELECT now.id, now.title, now.path, now.version, now.owner, now.removed_at IS NULL AS is_there, count(*) AS pairs
FROM run_pairs
JOIN pairs ON pairs.id = pair_id
CROSS JOIN LATERAL jsonb_array_elements(documents) AS shown
JOIN documents AS now ON now.id = (shown ->> 0)::bigint
WHERE run_id = %(run_id)s AND reason = 'stale_document'
  AND (now.removed_at IS NOT NULL OR now.version <> (shown ->> 1)::integer)
  AND NOT EXISTS (SELECT FROM document_checks WHERE document_id = now.id AND document_checks.version = now.version)
GROUP BY now.id
ORDER BY count(*) DESC, now.id

-- name: stream_pairs
SELECT prompt, chosen, rejected
FROM run_pairs JOIN pairs ON pairs.id = pair_id
WHERE run_id = %(run_id)s AND state = 'trained' ORDER BY sha256

-- name: stream_singles
SELECT interactions.id, leave_out_examples(messages, cardinality(example_ids)) AS messages, answer, generated, mode, is_liked
FROM run_singles JOIN interactions ON interactions.id = interaction_id
WHERE run_id = %(run_id)s AND use = 'kto' ORDER BY interaction_id
