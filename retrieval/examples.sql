-- name: find_untaught
SELECT untaught_votes.id, interaction_id, coalesce(standalone_question, question) AS question, passages, citations
FROM untaught_votes JOIN interactions ON interactions.id = interaction_id
WHERE untaught_votes.id > %(after_id)s
ORDER BY untaught_votes.id
LIMIT %(limit)s

-- name: lock
-- Lock.INDEX: one process at a time writes what votes teach, and no chunk goes meanwhile.
SELECT pg_advisory_xact_lock(%(key)s)

-- name: find_votes
-- Read under the lock: what stands now is written after what stood before. Only answers that say something are judged.
SELECT current_feedback.id, interaction_id, person, value, reason, correction
FROM current_feedback JOIN interactions ON interactions.id = interaction_id
WHERE interaction_id = ANY(%(interaction_ids)s::bigint[]) AND value <> 0 AND mode IN ('generated', 'quoted', 'refused')
ORDER BY current_feedback.id

-- name: put_examples
-- Replaces what the interactions taught before; returned are the chunks that must be counted anew.
WITH wanted AS MATERIALIZED (
    SELECT row.*
    FROM jsonb_to_recordset(%(examples)s::jsonb)
        AS row(interaction_id bigint, chunk_id bigint, person text, value smallint, feedback_id bigint, question text,
               terms text[])
    JOIN chunks ON chunks.id = row.chunk_id
), gone AS (
    DELETE FROM examples
    WHERE interaction_id = ANY(%(interaction_ids)s::bigint[])
      AND (interaction_id, chunk_id, person) NOT IN (SELECT interaction_id, chunk_id, person FROM wanted)
    RETURNING chunk_id
), stored AS (
    INSERT INTO examples (interaction_id, chunk_id, person, value, feedback_id, question, terms)
    SELECT interaction_id, chunk_id, person, value, feedback_id, decode(question, 'hex'), terms FROM wanted
    ON CONFLICT (interaction_id, chunk_id, person) DO UPDATE
    SET value = excluded.value, feedback_id = excluded.feedback_id, question = excluded.question, terms = excluded.terms
    RETURNING chunk_id
)
SELECT chunk_id FROM gone UNION SELECT chunk_id FROM stored

-- name: forget_chunks
WITH forgotten AS (
    DELETE FROM taught_chunks WHERE chunk_id = ANY(%(chunk_ids)s::bigint[])
)
DELETE FROM taught_terms WHERE chunk_id = ANY(%(chunk_ids)s::bigint[])

-- name: count_chunks
-- A person's newest few questions count; of those the passage takes so many, those that most people stand behind first.
WITH of_people AS (
    SELECT chunk_id, person, question, min(terms) AS terms, sign(sum(value)) AS value, max(feedback_id) AS newest,
           row_number() OVER (PARTITION BY chunk_id, person ORDER BY max(feedback_id) DESC) AS place
    FROM examples WHERE chunk_id = ANY(%(chunk_ids)s::bigint[])
    GROUP BY chunk_id, person, question
), questions AS (
    SELECT chunk_id, question, min(terms) AS terms, sum(value) AS balance,
           row_number() OVER (PARTITION BY chunk_id ORDER BY abs(sum(value)) DESC, max(newest) DESC) AS place
    FROM of_people WHERE place <= %(per_person)s
    GROUP BY chunk_id, question HAVING sum(value) <> 0
), chosen AS MATERIALIZED (
    SELECT chunk_id, balance > 0 AS is_answered, terms FROM questions WHERE place <= %(per_chunk)s
), chunks_taught AS (
    INSERT INTO taught_chunks (chunk_id, length, term_count)
    SELECT chunks.id, least(chunks.length, 32767),
           least(coalesce(sum(cardinality(terms)) FILTER (WHERE is_answered), 0), 32767)
    FROM chosen JOIN chunks ON chunks.id = chosen.chunk_id
    GROUP BY chunks.id
)
INSERT INTO taught_terms (term, chunk_id, weight)
SELECT term, chunk_id, sum(CASE WHEN is_answered THEN 1 ELSE -2 END)
FROM chosen CROSS JOIN LATERAL unnest(terms) AS term
GROUP BY term, chunk_id
HAVING sum(CASE WHEN is_answered THEN 1 ELSE -2 END) <> 0

-- name: mark_taught
DELETE FROM untaught_votes WHERE id = ANY(%(ids)s::bigint[])
