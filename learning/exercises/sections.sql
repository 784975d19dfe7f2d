-- name: find_sections
-- Chunks below one heading are one section; what they repeat of each other stands in the document's text once.
WITH numbered AS (
    SELECT chunks.*, ordinal - row_number() OVER (PARTITION BY document_id, heading_path ORDER BY ordinal) AS stretch
    FROM chunks
), sections AS (
    SELECT document_id, heading_path, min(ordinal) AS place, min(start_offset) AS begins, max(end_offset) AS ends
    FROM numbered
    GROUP BY document_id, heading_path, stretch
)
SELECT documents.id AS document_id, documents.version, place, path, title, heading_path,
       substr(document_texts.text, begins + 1, ends - begins) AS text, allow
FROM sections
JOIN documents ON documents.id = sections.document_id
JOIN document_texts ON document_texts.document_id = documents.id
WHERE removed_at IS NULL AND allow <> '{}'
  AND (%(source)s::text IS NULL OR source = %(source)s)
  AND (%(words)s::text IS NULL OR strpos(lower(path || ' ' || title), lower(%(words)s)) > 0)
ORDER BY documents.id, place
