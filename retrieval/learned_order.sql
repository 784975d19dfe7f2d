-- name: find_judged
-- The newest questions with a passage that more people hold for the answer than blame; each question once.
WITH balanced AS (
    SELECT question, chunk_id, max(interaction_id) AS interaction_id
    FROM examples
    GROUP BY question, chunk_id
    HAVING sum(value) > 0
), grouped AS (
    SELECT question, max(interaction_id) AS interaction_id, array_agg(chunk_id ORDER BY chunk_id) AS chunk_ids
    FROM balanced
    GROUP BY question
)
SELECT interactions.id AS interaction_id, coalesce(standalone_question, interactions.question) AS question, principals,
       encode(grouped.question, 'hex') AS digest, chunk_ids
FROM grouped JOIN interactions ON interactions.id = interaction_id
ORDER BY interaction_id DESC
LIMIT %(limit)s

-- name: find_facts
-- Votes on answers before one: a question's right passage must not be told by its having no other vote.
SELECT chunks.id AS chunk_id, extract(epoch FROM greatest(now() - documents.changed_at, '0'))::float8 / 86400 AS age_days,
       coalesce(sum(example.value), 0)::integer AS votes
FROM chunks
JOIN documents ON documents.id = chunks.document_id
LEFT JOIN (
    SELECT chunk_id, sign(sum(value)) AS value
    FROM examples
    WHERE chunk_id = ANY(%(chunk_ids)s::bigint[]) AND question <> decode(%(question)s, 'hex')
      AND (%(before_id)s::bigint IS NULL OR interaction_id < %(before_id)s)
    GROUP BY chunk_id, question
) AS example ON example.chunk_id = chunks.id
WHERE chunks.id = ANY(%(chunk_ids)s::bigint[])
GROUP BY chunks.id, documents.changed_at

-- name: put_trained
INSERT INTO learned_ranks (model, weights, questions, fused_ndcg, rank_ndcg, gain_error, is_used)
VALUES (%(model)s, %(weights)s::float8[], %(questions)s, %(fused_ndcg)s, %(rank_ndcg)s, %(gain_error)s, %(is_used)s)

-- name: find_trained
SELECT weights, questions, fused_ndcg, rank_ndcg, gain_error, is_used, trained_at
FROM learned_ranks WHERE model = %(model)s
ORDER BY id DESC
LIMIT 1
