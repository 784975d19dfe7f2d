-- name: export_snapshot
SELECT pg_export_snapshot() AS snapshot, current_setting('server_version_num')::integer / 10000 AS version,
       pg_size_pretty(pg_database_size(current_database())) AS size, now() AS at

-- name: find_roles
SELECT rolname AS role FROM pg_roles WHERE rolname LIKE 'nightbake\_%' ORDER BY 1

-- name: find_adapters
SELECT name, folder, sha256 FROM adapters WHERE deleted_at IS NULL ORDER BY name

-- name: count_migrations
SELECT count(*)::integer AS migrations FROM migrations

-- name: count_tables
SELECT count(*)::integer AS tables FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
WHERE relkind IN ('r', 'p') AND nspname = 'public'

-- name: move_adapter
UPDATE adapters SET folder = %(folder)s WHERE name = %(name)s

-- name: find_unserved
-- Audiences that are served, or try out, what is not there.
SELECT audience FROM served WHERE name = ANY(%(names)s)
UNION
SELECT 'everyone' FROM serving WHERE trial = ANY(%(names)s)

-- name: move_source
WITH entries AS (
    UPDATE source_entries SET source = %(new)s WHERE source = %(old)s
), withdrawn AS (
    UPDATE withdrawals SET source = %(new)s WHERE source = %(old)s
), failed AS (
    UPDATE ingest_errors SET source = %(new)s WHERE source = %(old)s
), known AS (
    UPDATE sources SET name = %(new)s WHERE name = %(old)s
)
UPDATE documents SET source = %(new)s WHERE source = %(old)s
