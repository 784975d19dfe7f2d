-- name: measure
SELECT queue.*, nights.*, documents.*, sources.*,
       serving.name AS adapter,
       (SELECT version FROM index_version) AS index_version,
       coalesce((SELECT paused FROM night_pauses ORDER BY id DESC LIMIT 1), false) AS nights_paused,
       EXISTS (SELECT FROM runs WHERE state = 'running' AND NOT is_rehearsal) AS night_running,
       EXISTS (SELECT FROM model_rests WHERE ends_by > now()) AS model_resting,
       (SELECT count(*)::integer FROM alerts WHERE cleared_at IS NULL) AS alerts
FROM (
    SELECT count(*) FILTER (WHERE kind = 'question' AND NOT is_claimed)::integer AS questions_waiting,
           count(*) FILTER (WHERE kind <> 'question' AND NOT is_claimed)::integer AS others_waiting,
           count(*) FILTER (WHERE is_claimed)::integer AS claimed,
           count(*) FILTER (WHERE attempts > 1)::integer AS retried,
           coalesce(extract(epoch FROM now() - min(available_at) FILTER (WHERE NOT is_claimed AND available_at <= now())),
                    0)::float8 AS oldest_seconds
    FROM (SELECT *, coalesce(lease_expires_at > now(), false) AS is_claimed FROM inbox
          WHERE done_at IS NULL AND buried_at IS NULL) AS open
) AS queue
LEFT JOIN serving ON true
LEFT JOIN (
    SELECT coalesce(gate ->> 'verdict', state) AS night_result,
           extract(epoch FROM finished_at)::float8 AS night_finished_at
    FROM runs WHERE state <> 'running' AND NOT is_rehearsal ORDER BY id DESC LIMIT 1
) AS nights ON true
CROSS JOIN (
    SELECT count(*)::integer AS documents, coalesce(sum(chunk_count), 0)::integer AS chunks,
           (SELECT count(*)::integer FROM ingest_errors) AS unreadable
    FROM documents WHERE removed_at IS NULL
) AS documents
CROSS JOIN (
    SELECT count(*) FILTER (WHERE error IS NOT NULL)::integer AS sources_failing,
           count(*) FILTER (WHERE began_at > coalesce(finished_at, '-infinity'))::integer AS sources_reading,
           coalesce(extract(epoch FROM min(finished_at)), 0)::float8 AS sources_read_at
    FROM sources
) AS sources

-- name: count_buried
SELECT count(*)::integer AS buried FROM inbox WHERE buried_at IS NOT NULL
