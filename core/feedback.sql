-- jsonb_typeof is there for the planner: it expects 100 rows of a JSON array, one with the condition. For 100 it joins by
-- reading the whole table, for one by the index; and a plan made while the table was small lives as long as its connection.

-- name: record
WITH given AS (
    SELECT ordinality, row.*
    FROM jsonb_array_elements(%(rows)s::jsonb) WITH ORDINALITY AS element(value, ordinality),
         jsonb_to_record(value) AS row(interaction_id bigint, person text, value smallint, source text,
                                       correction text, reason text, event_key text,
                                       right_chunk_id bigint, right_source text, said_at float8)
    WHERE jsonb_typeof(element.value) = 'object'
), stored AS (
    INSERT INTO feedback (interaction_id, person, value, source, correction, reason, event_key, right_chunk_id,
                          right_source, said_at)
    -- Whose clock is minutes ahead of ours says it now; none says what no calendar knows.
    SELECT given.interaction_id, person, value, source, correction, reason, event_key, right_chunk_id, right_source,
           CASE WHEN said_at < extract(epoch FROM now() + interval '5 minutes') THEN to_timestamp(greatest(0, said_at))
                ELSE now() END
    FROM given WHERE EXISTS (SELECT FROM interactions WHERE interactions.id = given.interaction_id)
    ORDER BY ordinality
    ON CONFLICT (event_key) DO NOTHING
)
SELECT EXISTS (SELECT FROM interactions WHERE interactions.id = given.interaction_id) AS known
FROM given ORDER BY ordinality

-- name: find_current
SELECT interaction_id, person, value, source, correction, reason, event_key, right_chunk_id, right_source,
       extract(epoch FROM said_at)::float8 AS said_at
FROM current_feedback WHERE interaction_id = %(interaction_id)s AND value <> 0

-- name: find_standing
SELECT interaction_id, person, value, source, correction, reason, event_key, right_chunk_id, right_source,
       extract(epoch FROM said_at)::float8 AS said_at
FROM feedback
WHERE interaction_id = %(interaction_id)s AND person = %(person)s
ORDER BY feedback.said_at DESC, id DESC LIMIT 1
