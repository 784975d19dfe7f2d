-- name: spread_day
-- A day's answers and votes over ten hours: bursts of a second are no people.
WITH asked AS (
    UPDATE interactions SET began_at = began_at - interval '10 hours', finished_at = finished_at - interval '10 hours'
    WHERE id > %(after)s
)
UPDATE feedback
SET given_at = given_at - make_interval(secs => ('x' || substr(md5(id::text), 1, 6))::bit(24)::integer %% 32400)
WHERE interaction_id > %(after)s

-- name: end_day
-- What was, was a day earlier: the next night sees days, not seconds.
WITH asked AS (
    UPDATE interactions SET began_at = began_at - interval '1 day', finished_at = finished_at - interval '1 day'
)
UPDATE feedback SET given_at = given_at - interval '1 day'

-- name: find_last
SELECT coalesce(max(id), 0) AS id FROM interactions
