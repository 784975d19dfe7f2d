-- name: find_sections
-- Chunks below one heading are one section; what they repeat of each other stands in the document's text once.
WITH cut AS (
    SELECT chunks.*, ordinal - row_number() OVER (PARTITION BY document_id, heading_path ORDER BY ordinal) AS stretch
    FROM chunks
)
SELECT documents.id AS document_id, documents.version, min(ordinal) AS place, path, title, heading_path,
       substr(document_texts.text, min(start_offset) + 1, max(end_offset) - min(start_offset)) AS text, allow
FROM cut
JOIN documents ON documents.id = cut.document_id
JOIN document_texts ON document_texts.document_id = documents.id
WHERE removed_at IS NULL AND allow <> '{}'
  AND (%(source)s::text IS NULL OR source = %(source)s)
  AND (%(words)s::text IS NULL OR strpos(lower(path || ' ' || title), lower(%(words)s)) > 0)
GROUP BY documents.id, document_texts.text, heading_path, stretch
ORDER BY documents.id, place
