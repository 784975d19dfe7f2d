-- name: find_setting
SELECT current_setting('archive_mode') AS archive_mode, current_setting('server_version_num')::integer / 10000 AS version,
       now() AS at

-- name: reload
SELECT pg_reload_conf()

-- name: find_state
SELECT pg_is_in_recovery() AS is_recovering, pg_last_xact_replay_timestamp() AS at
