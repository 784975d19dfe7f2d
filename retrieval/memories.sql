-- name: find_listed
SELECT memories.interaction_id AS id, kind, state, question, answer, language, tokens, remembered_at, removed_at,
       removed_by, waits_until,
       coalesce(has_learnt((SELECT name FROM serving), feedback_id, memories.interaction_id), false) AS is_learnt,
       (SELECT count(*) FROM interactions
        WHERE example_ids <> '{}' AND example_ids @> ARRAY[memories.interaction_id])::integer AS uses
FROM memories JOIN memory_states USING (interaction_id)
WHERE (%(id)s::bigint IS NULL OR memories.interaction_id = %(id)s)
  AND (%(before)s::bigint IS NULL OR memories.interaction_id < %(before)s)
  AND (%(state)s::text IS NULL OR state = %(state)s)
ORDER BY memories.interaction_id DESC
LIMIT %(limit)s

-- name: find_documents
SELECT shown.document_id, title, path, is_cited,
       removed_at IS NULL AND documents.version = shown.version
           AND documents.audience_id IS NOT DISTINCT FROM shown.audience_id AS is_unchanged
FROM memory_documents AS shown LEFT JOIN documents ON documents.id = document_id
WHERE shown.interaction_id = %(id)s
ORDER BY is_cited DESC, shown.document_id

-- name: find_uses
SELECT id, finished_at, question FROM interactions
WHERE example_ids <> '{}' AND example_ids @> ARRAY[%(id)s::bigint]
ORDER BY id DESC LIMIT %(limit)s

-- name: remove
WITH removed AS (
    UPDATE memories SET removed_at = now(), removed_by = %(by)s
    WHERE interaction_id = %(id)s AND removed_at IS NULL RETURNING interaction_id
), audited AS (
    INSERT INTO audit (actor, act, subject) SELECT %(by)s, 'remove memory', 'answer ' || interaction_id FROM removed
)
SELECT interaction_id AS id FROM removed
