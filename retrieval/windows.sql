-- name: find_around
SELECT own.id AS chunk_id, near.start, substr(document_texts.text, near.start + 1, near.end - near.start) AS text,
       near.chunk_ids, near.starts, near.ends
FROM chunks AS own
JOIN visible_documents(%(principals)s::text[]) AS documents ON documents.id = own.document_id
JOIN document_texts ON document_texts.document_id = own.document_id
CROSS JOIN LATERAL (
    SELECT min(start_offset) AS start, max(end_offset) AS end, array_agg(id ORDER BY ordinal) AS chunk_ids,
           array_agg(start_offset ORDER BY ordinal) AS starts, array_agg(end_offset ORDER BY ordinal) AS ends
    FROM chunks
    WHERE document_id = own.document_id AND heading_path = own.heading_path
      AND ordinal BETWEEN own.ordinal - %(neighbours)s::integer AND own.ordinal + %(neighbours)s::integer
) AS near
WHERE own.id = ANY(%(chunk_ids)s::bigint[])
