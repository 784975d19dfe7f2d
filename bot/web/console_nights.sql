-- name: find_night
SELECT runs.id, night, requested_by, stage, state, attempts, counts, adapter, reason, error, started_at, finished_at,
       seconds, gate, (SELECT array_agg(language ORDER BY language) FROM reports WHERE run_id = runs.id) AS languages
FROM runs WHERE id = %(id)s

-- name: find_report
SELECT html, night FROM reports JOIN runs ON runs.id = run_id WHERE run_id = %(id)s AND language = %(language)s

-- name: get_compared
SELECT id, night, requested_by, state, reason, adapter, counts, evaluation, seconds,
       jsonb_array_length(tickets) AS tickets
FROM runs WHERE id = %(id)s AND NOT is_rehearsal
