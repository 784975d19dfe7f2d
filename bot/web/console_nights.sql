-- name: get_compared
SELECT id, night, requested_by, state, reason, adapter, counts, evaluation, seconds,
       jsonb_array_length(tickets) AS tickets
FROM runs WHERE id = %(id)s AND NOT is_rehearsal
