-- name: find_sources
SELECT interactions.id AS interaction_id, shown.number, shown.chunk_id, shown.document_id,
       CASE WHEN documents.id IS NULL OR documents.removed_at IS NOT NULL THEN 'gone'
            WHEN documents.version = shown.document_version THEN 'same'
            WHEN EXISTS (SELECT FROM document_texts
                         WHERE document_texts.document_id = documents.id
                           AND position(shown.text IN document_texts.text) > 0) THEN 'same'
            WHEN EXISTS (SELECT FROM document_checks
                         WHERE document_checks.document_id = documents.id
                           AND document_checks.version = documents.version) THEN 'checked'
            ELSE 'changed' END AS state,
       coalesce(documents.allow, '{}') AS allow, coalesce(documents.deny, '{}') AS deny
FROM interactions
CROSS JOIN LATERAL jsonb_to_recordset(passages) AS shown(number integer, chunk_id bigint, document_id bigint,
                                                         document_version integer, text text)
LEFT JOIN documents ON documents.id = shown.document_id
WHERE interactions.id = ANY(%(ids)s)
ORDER BY interactions.id, shown.number

-- name: check_document
INSERT INTO document_checks (document_id, version, checked_by)
SELECT id, version, %(by)s FROM documents WHERE id = %(document_id)s AND removed_at IS NULL
ON CONFLICT (document_id, version) DO UPDATE SET checked_by = excluded.checked_by, checked_at = now()
RETURNING document_id

-- name: find_restricted
-- Answers from a document that not everyone may read, when it was answered or now; what went is not everyone's either.
SELECT id AS interaction_id
FROM interactions
WHERE id = ANY(%(ids)s)
  AND EXISTS (
      SELECT FROM jsonb_to_recordset(passages) AS shown(document_id bigint, allow jsonb)
      LEFT JOIN documents ON documents.id = shown.document_id AND removed_at IS NULL
      WHERE documents.id IS NULL OR NOT shown.allow ?| '{everyone,public}' OR NOT documents.allow && '{everyone,public}'
         OR cardinality(documents.deny) > 0)
ORDER BY id
