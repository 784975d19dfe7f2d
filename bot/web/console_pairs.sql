-- name: find_run
SELECT id, counts FROM runs WHERE counts ? 'reconciled' ORDER BY id DESC LIMIT 1

-- name: find_pairs
-- A sample is the same for everyone until the next run.
SELECT pairs.id, sha256, origin, question, language, prompt, pairs.chosen, rejected, why, confidence,
       cardinality(voters) AS voters, run_pairs.state, run_pairs.reason, verdict, review.chosen AS edited,
       (SELECT jsonb_agg(jsonb_build_object(
                   'id', now.id, 'title', title, 'version', (shown ->> 1)::integer, 'is_there', removed_at IS NULL,
                   'is_unchanged', removed_at IS NULL AND version IS NOT DISTINCT FROM (shown ->> 1)::integer,
                   'is_checked', EXISTS (SELECT FROM document_checks AS done
                                         WHERE done.document_id = now.id AND done.version = now.version))
               ORDER BY shown)
        FROM jsonb_array_elements(documents) AS shown LEFT JOIN documents AS now ON now.id = (shown ->> 0)::bigint) AS documents
FROM run_pairs
JOIN pairs ON pairs.id = pair_id
LEFT JOIN LATERAL (
    SELECT verdict, chosen FROM pair_reviews WHERE pair_id = pairs.id ORDER BY pair_reviews.id DESC LIMIT 1
) AS review ON true
WHERE run_id = %(run_id)s
  AND (%(origin)s::text IS NULL OR origin = %(origin)s)
  AND CASE %(which)s
          WHEN 'open' THEN verdict IS NULL AND run_pairs.state <> 'dropped'
          WHEN 'sample' THEN verdict IS NULL AND run_pairs.state <> 'dropped'
          WHEN 'waiting' THEN run_pairs.reason = 'awaits_review' AND verdict IS NULL
          WHEN 'reviewed' THEN verdict IS NOT NULL
          ELSE true
      END
  AND (%(before)s::bigint IS NULL OR pairs.id < %(before)s)
  AND (%(principals)s::text[] IS NULL
       -- Of pairs of long ago nobody knows the documents.
       OR (pairs.documents <> '[]' OR access = '[]')
          AND NOT EXISTS (SELECT FROM jsonb_array_elements(pairs.documents) AS shown
                          WHERE (shown ->> 0)::bigint NOT IN (SELECT id FROM visible_documents(%(principals)s::text[]))))
ORDER BY CASE WHEN %(which)s = 'sample' THEN md5(sha256 || %(run_id)s::text) END, pairs.id DESC
LIMIT %(limit)s

-- name: find_rejected
SELECT rejected FROM pairs
WHERE id = %(id)s
  AND (%(principals)s::text[] IS NULL
       -- Of pairs of long ago nobody knows the documents.
       OR (pairs.documents <> '[]' OR access = '[]')
          AND NOT EXISTS (SELECT FROM jsonb_array_elements(pairs.documents) AS shown
                          WHERE (shown ->> 0)::bigint NOT IN (SELECT id FROM visible_documents(%(principals)s::text[]))))

-- name: add_review
INSERT INTO pair_reviews (pair_id, verdict, chosen, reviewer)
VALUES (%(id)s, %(verdict)s, %(chosen)s, %(reviewer)s)

-- name: check_document
INSERT INTO document_checks (document_id, version, checked_by)
SELECT id, version, %(by)s FROM documents
WHERE id = %(id)s AND removed_at IS NULL
  AND (%(principals)s::text[] IS NULL OR id IN (SELECT id FROM visible_documents(%(principals)s::text[])))
ON CONFLICT (document_id, version) DO UPDATE SET checked_by = excluded.checked_by, checked_at = now()
RETURNING document_id
