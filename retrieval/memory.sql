-- name: find_near
-- By vector where the question's language is read and the memory has one, by words besides. Whatever is near is then
-- judged as of now: the vote stands, the cited documents are as they were, and all that were shown may be read.
WITH compared AS MATERIALIZED (
    SELECT interaction_id, greatest(
               CASE WHEN model_id = %(model_id)s::smallint THEN -(vector <#> %(vector)s::halfvec) END,
               CASE WHEN terms && %(terms)s::text[]
                    THEN 2.0 * (SELECT count(*) FROM unnest(terms) AS term WHERE term = ANY(%(terms)s::text[]))
                         / (cardinality(terms) + cardinality(%(terms)s::text[])) END
           ) AS similarity
    FROM memory_questions
    WHERE language = %(language)s AND removed_at IS NULL
), near AS MATERIALIZED (
    SELECT interaction_id, similarity FROM compared
    WHERE similarity >= %(floor)s
    ORDER BY similarity DESC, interaction_id DESC
    LIMIT %(candidates)s
)
SELECT interaction_id, kind, question, answer, tokens, similarity::float8 AS similarity,
       coalesce(has_learnt(%(adapter)s::text, feedback_id, interaction_id), false) AS is_learnt
FROM near
JOIN memories USING (interaction_id)
-- OFFSET 0: one memory after the other, or a plan might judge all there are.
CROSS JOIN LATERAL (SELECT state FROM memory_states WHERE memory_states.interaction_id = near.interaction_id OFFSET 0) AS judged
WHERE state = 'standing'
  AND NOT EXISTS (
      SELECT FROM memory_documents AS shown
      WHERE shown.interaction_id = near.interaction_id
        AND NOT EXISTS (SELECT FROM visible_documents(%(principals)s::text[]) AS seen WHERE seen.id = shown.document_id))
ORDER BY similarity DESC, feedback_id DESC

-- name: find_unread
-- Questions that were not read yet, or by another model than questions are asked with now.
SELECT interaction_id, question, language FROM memories
WHERE terms IS NULL
   OR language = ANY(%(languages)s::text[]) AND model_id IS DISTINCT FROM %(model_id)s::smallint
ORDER BY interaction_id
LIMIT %(limit)s

-- name: store_read
UPDATE memories SET terms = row.terms, model_id = row.model_id, vector = row.vector::halfvec
FROM jsonb_to_recordset(%(rows)s::jsonb)
    AS row(interaction_id bigint, question text, terms text[], model_id smallint, vector text)
WHERE memories.interaction_id = row.interaction_id AND memories.question = row.question
