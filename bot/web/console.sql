-- name: count_day
SELECT count(*)::integer AS questions,
       count(*) FILTER (WHERE mode = 'generated')::integer AS generated,
       count(*) FILTER (WHERE mode = 'quoted')::integer AS quoted,
       count(*) FILTER (WHERE mode = 'refused')::integer AS refused,
       count(*) FILTER (WHERE mode = 'stopped')::integer AS stopped,
       count(*) FILTER (WHERE mode = 'failed')::integer AS failed,
       count(DISTINCT asker)::integer AS people,
       percentile_cont(0.5) WITHIN GROUP (ORDER BY first_token_seconds) AS first_token_seconds,
       percentile_cont(0.5) WITHIN GROUP (ORDER BY answer_seconds) AS answer_seconds
FROM interactions WHERE began_at > now() - interval '24 hours'

-- name: count_votes
SELECT count(*) FILTER (WHERE value = 1)::integer AS up,
       count(*) FILTER (WHERE value = -1)::integer AS down,
       count(*) FILTER (WHERE value <> 0 AND correction IS NOT NULL)::integer AS corrections
FROM current_feedback WHERE given_at > now() - interval '24 hours'

-- name: count_inbox
SELECT count(*) FILTER (WHERE buried_at IS NULL)::integer AS open,
       count(*) FILTER (WHERE buried_at IS NULL AND attempts > 1)::integer AS retried,
       count(*) FILTER (WHERE buried_at IS NOT NULL)::integer AS buried
FROM inbox WHERE done_at IS NULL

-- name: find_days
WITH days AS (
    SELECT generate_series(current_date - 13, current_date, interval '1 day')::date AS day
), votes AS (
    SELECT given_at::date AS day, count(*) FILTER (WHERE value = 1)::integer AS up,
           count(*) FILTER (WHERE value = -1)::integer AS down
    FROM current_feedback WHERE given_at >= current_date - 13 GROUP BY 1
), asked AS (
    SELECT began_at::date AS day, count(*)::integer AS questions
    FROM interactions WHERE began_at >= current_date - 13 GROUP BY 1
)
SELECT day, coalesce(questions, 0) AS questions, coalesce(up, 0) AS up, coalesce(down, 0) AS down
FROM days LEFT JOIN votes USING (day) LEFT JOIN asked USING (day)
ORDER BY day

-- name: find_answers
SELECT interactions.id, began_at, platform, asker, question, answer, search_notice, mode, mode_reason, adapter, answer_seconds,
       votes.up, votes.down, votes.corrections
FROM interactions
LEFT JOIN LATERAL (
    SELECT count(*) FILTER (WHERE value = 1)::integer AS up, count(*) FILTER (WHERE value = -1)::integer AS down,
           coalesce(array_agg(correction) FILTER (WHERE value <> 0 AND correction IS NOT NULL), '{}') AS corrections
    FROM current_feedback WHERE interaction_id = interactions.id
) AS votes ON true
WHERE (%(before)s::bigint IS NULL OR interactions.id < %(before)s)
  AND (%(pattern)s::text IS NULL OR question ILIKE %(pattern)s OR answer ILIKE %(pattern)s)
  AND (%(mode)s::text IS NULL OR mode = %(mode)s)
  AND (%(vote)s::text IS NULL OR (%(vote)s = 'up' AND votes.up > 0) OR (%(vote)s = 'down' AND votes.down > 0)
       OR (%(vote)s = 'corrected' AND cardinality(votes.corrections) > 0))
ORDER BY interactions.id DESC
LIMIT %(limit)s

-- name: find_nights
SELECT runs.id, night, requested_by, stage, state, attempts, counts, adapter, reason, error, started_at, finished_at, audience,
       EXISTS (SELECT FROM reports WHERE reports.run_id = runs.id) AS has_report
FROM runs
WHERE NOT is_rehearsal AND (%(before)s::bigint IS NULL OR runs.id < %(before)s)
ORDER BY runs.id DESC
LIMIT %(limit)s

-- name: find_running
SELECT id, stage, started_at FROM runs WHERE state = 'running' AND NOT is_rehearsal ORDER BY id DESC LIMIT 1

-- name: find_documents
SELECT id, source, path, title, format, language, version, chunk_count, allow, ingested_at
FROM documents
WHERE removed_at IS NULL AND (%(pattern)s::text IS NULL OR title ILIKE %(pattern)s OR path ILIKE %(pattern)s)
ORDER BY source, path
LIMIT %(limit)s

-- name: find_ingest_errors
SELECT source, path, reason, first_failed_at, last_failed_at FROM ingest_errors ORDER BY source, path

-- name: count_documents
SELECT count(*)::integer AS documents, coalesce(sum(chunk_count), 0)::integer AS chunks,
       (SELECT count(*)::integer FROM ingest_errors) AS errors
FROM documents WHERE removed_at IS NULL

-- name: count_gaps
SELECT count(DISTINCT topic)::integer AS topics FROM gaps WHERE filed_at >= now() - make_interval(days => %(days)s)
