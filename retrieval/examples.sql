-- name: find_untaught
SELECT untaught_votes.id, interaction_id, coalesce(standalone_question, question) AS question, mode, passages, citations
FROM untaught_votes JOIN interactions ON interactions.id = interaction_id
WHERE untaught_votes.id > %(after_id)s
ORDER BY untaught_votes.id
LIMIT %(limit)s

-- name: find_votes
-- Read under the lock: what stands now is written after what stood before.
-- Of a voter: one person may have names on several platforms.
SELECT id, interaction_id, coalesce(voter, current_feedback.person) AS person, value, reason, correction, right_chunk_id
FROM current_feedback LEFT JOIN people ON people.person = current_feedback.person
WHERE interaction_id = ANY(%(interaction_ids)s::bigint[]) AND value <> 0
  AND id IN (SELECT id FROM trainable_feedback WHERE interaction_id = ANY(%(interaction_ids)s::bigint[]))
ORDER BY id

-- name: find_nightly
SELECT interaction_id, chunk_id, value, feedback_ids
FROM judged_queries WHERE interaction_id = ANY(%(interaction_ids)s::bigint[])
ORDER BY interaction_id, chunk_id

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

-- name: forget
DELETE FROM examples
WHERE person = %(person)s OR person = (SELECT voter FROM people WHERE people.person = %(person)s)
   OR interaction_id = ANY(%(interaction_ids)s::bigint[])
RETURNING chunk_id

-- name: forget_terms
DELETE FROM taught_terms WHERE chunk_id = ANY(%(chunk_ids)s::bigint[])

-- name: count_terms
-- A person's newest few questions count; of those the passage takes so many, those that most people stand behind first.
WITH of_people AS (
    SELECT chunk_id, person, question, min(terms) AS terms, sign(sum(value)) AS value, max(feedback_id) AS newest,
           row_number() OVER (PARTITION BY chunk_id, person ORDER BY max(feedback_id) DESC, question) AS place
    FROM examples WHERE chunk_id = ANY(%(chunk_ids)s::bigint[])
    GROUP BY chunk_id, person, question
), questions AS (
    SELECT chunk_id, min(terms) AS terms, sum(value) AS balance,
           row_number() OVER (PARTITION BY chunk_id ORDER BY abs(sum(value)) DESC, max(newest) DESC, question) AS place
    FROM of_people WHERE place <= %(per_person)s
    GROUP BY chunk_id, question HAVING sum(value) <> 0
)
INSERT INTO taught_terms (term, chunk_id, weight)
SELECT term, chunk_id, sum(sign(balance))
FROM questions CROSS JOIN LATERAL unnest(terms) AS term
WHERE place <= %(per_chunk)s
GROUP BY term, chunk_id
HAVING sum(sign(balance)) <> 0

-- name: pack_blocks
WITH touched AS (
    SELECT DISTINCT (chunk_id >> 12)::integer AS block FROM unnest(%(chunk_ids)s::bigint[]) AS chunk_id
), counted AS (
    SELECT touched.block, chunk_id, sum(weight) AS term_count
    FROM touched
    JOIN taught_terms ON chunk_id >= touched.block::bigint << 12 AND chunk_id < (touched.block + 1)::bigint << 12
    WHERE weight > 0
    GROUP BY touched.block, chunk_id
)
INSERT INTO taught_blocks (block, entries)
SELECT touched.block,
       coalesce(string_agg(int2send((chunk_id & 4095)::smallint) || int2send(least(length, 32767)::smallint)
                           || int2send(least(term_count, 32767)::smallint), ''::bytea ORDER BY chunk_id), ''::bytea)
FROM touched LEFT JOIN (counted JOIN chunks ON chunks.id = chunk_id) USING (block)
GROUP BY touched.block
ON CONFLICT (block) DO UPDATE SET entries = excluded.entries

-- name: mark_taught
DELETE FROM untaught_votes WHERE id = ANY(%(ids)s::bigint[])
