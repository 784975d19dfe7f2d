-- name: sum_spent
WITH tried AS (
    SELECT count(*) FILTER (WHERE reason IS NULL) AS passed, count(*) AS tries,
           coalesce(sum(requests), 0) AS requests, coalesce(sum(prompt_tokens), 0) AS prompt_tokens,
           coalesce(sum(completion_tokens), 0) AS completion_tokens, coalesce(sum(model_seconds), 0) AS model_seconds
    FROM exercise_drafts WHERE %(make_id)s::bigint IS NULL OR make_id = %(make_id)s
), made AS (
    SELECT coalesce(sum(seconds), 0) AS seconds
    FROM exercise_makes WHERE %(make_id)s::bigint IS NULL OR id = %(make_id)s
), reviewed AS (
    SELECT count(*) AS reviews, coalesce(sum(seconds), 0)::double precision AS reviewer_seconds
    FROM exercise_reviews
    WHERE %(make_id)s::bigint IS NULL
       OR exercise_id IN (SELECT exercise_id FROM exercise_drafts WHERE make_id = %(make_id)s)
)
SELECT passed, tries, requests, prompt_tokens, completion_tokens, model_seconds, seconds, reviews, reviewer_seconds
FROM tried, made, reviewed

-- name: find_pairs
-- The first word of each of the first two people: what somebody says after having seen the other's does not tell.
WITH first_words AS (
    SELECT DISTINCT ON (exercise_id, reviewer) exercise_id, reviewer, verdict <> 'reject' AS is_accepted, id
    FROM exercise_reviews WHERE reviewer <> 'erased'
    ORDER BY exercise_id, reviewer, id
), placed AS (
    SELECT *, row_number() OVER (PARTITION BY exercise_id ORDER BY id) AS place FROM first_words
)
SELECT one.is_accepted AS first, other.is_accepted AS second
FROM placed AS one JOIN placed AS other USING (exercise_id)
WHERE one.place = 1 AND other.place = 2
ORDER BY exercise_id
