-- name: find_readers
-- Who together may read the corpus: principals that open a document, but for those that are denied one.
SELECT unnest(allow) AS principal FROM documents WHERE removed_at IS NULL
EXCEPT
SELECT unnest(deny) FROM documents WHERE removed_at IS NULL
ORDER BY principal

-- name: count_chunks
SELECT chunks.language, count(*)::integer AS chunks
FROM chunks JOIN documents ON documents.id = chunks.document_id
WHERE documents.removed_at IS NULL
GROUP BY chunks.language

-- name: sample_chunks
-- By hash: spread over the whole corpus, and the same chunks each time.
SELECT chunks.id, documents.title, chunks.heading_path, chunks.text
FROM visible_documents(%(principals)s::text[]) AS documents
JOIN chunks ON chunks.document_id = documents.id
WHERE chunks.language = %(language)s
ORDER BY md5(chunks.sha256), chunks.id
LIMIT %(limit)s

-- name: put_calibration
INSERT INTO fusion_calibrations (model_id, language, dense_mean, dense_spread, dense_share, dense_mrr, lexical_mrr,
                                 fused_mrr, questions, chunks)
SELECT id, %(language)s, %(dense_mean)s, %(dense_spread)s, %(dense_share)s, %(dense_mrr)s, %(lexical_mrr)s, %(fused_mrr)s,
       %(questions)s, %(chunks)s
FROM embedding_models WHERE name = %(model)s
ON CONFLICT (model_id, language) DO UPDATE
SET dense_mean = excluded.dense_mean, dense_spread = excluded.dense_spread, dense_share = excluded.dense_share,
    dense_mrr = excluded.dense_mrr, lexical_mrr = excluded.lexical_mrr, fused_mrr = excluded.fused_mrr,
    questions = excluded.questions, chunks = excluded.chunks, measured_at = now()

-- name: find_calibrations
SELECT language, dense_mean, dense_spread, dense_share, dense_mrr, lexical_mrr, fused_mrr, questions,
       fusion_calibrations.chunks, measured_at
FROM fusion_calibrations JOIN embedding_models ON embedding_models.id = fusion_calibrations.model_id
WHERE embedding_models.name = %(model)s
ORDER BY language

-- name: find_model
SELECT id FROM embedding_models WHERE name = %(name)s
