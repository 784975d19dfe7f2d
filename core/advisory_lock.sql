-- name: lock_transaction
SELECT pg_advisory_xact_lock(%(key)s::bigint)

-- name: lock
SELECT pg_advisory_lock(%(key)s::bigint)

-- name: try_lock
SELECT pg_try_advisory_lock(%(key)s::bigint)

-- name: unlock
SELECT pg_advisory_unlock(%(key)s::bigint)
