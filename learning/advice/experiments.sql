-- name: open
INSERT INTO experiments (step, round_id, hypothesis, change, before, cost, opened_by)
VALUES (%(step)s, %(round_id)s, %(hypothesis)s, %(change)s, %(before)s, %(cost)s, %(by)s)
RETURNING id

-- name: find_all
SELECT id, step, hypothesis, change, before, after, cost, state, opened_by, opened_at, measured_at, ended_at
FROM experiments ORDER BY id DESC LIMIT %(limit)s

-- name: find_told
SELECT id, step, hypothesis, change, before, after, cost, state, opened_by, opened_at, measured_at, ended_at
FROM experiments WHERE state = 'open' OR ended_at >= %(since)s ORDER BY id

-- name: end
UPDATE experiments SET state = %(state)s, ended_at = clock_timestamp() WHERE id = %(id)s AND state = 'open'

-- name: measure
UPDATE experiments SET after = %(after)s, measured_at = clock_timestamp() WHERE id = %(id)s AND state = 'open'
