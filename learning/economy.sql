-- name: find_nights
-- Nights up to a moment with what they cost, and of an adapter that was served what golden questions said of it and how
-- many answers were given since by it and what followed it; the base model's are none of its merit.
SELECT runs.id,
       coalesce((seconds ->> 'train')::float, 0) + coalesce((seconds ->> 'serve')::float, 0)
           + coalesce((seconds ->> 'evaluate')::float, 0) AS machine_seconds,
       served.at IS NOT NULL AS was_served,
       coalesce((evaluation #>> '{golden,live}')::integer, 0) AS before,
       coalesce((evaluation #>> '{golden,candidate}')::integer, 0) AS after,
       coalesce((evaluation #>> '{golden,count}')::integer, 0) AS count,
       CASE WHEN served.at IS NULL THEN 0 ELSE (
           SELECT count(*)::integer FROM interactions
           WHERE finished_at >= served.at AND finished_at < %(until)s AND mode = 'generated' AND adapter IS NOT NULL
       ) END AS answers
FROM runs
LEFT JOIN LATERAL (
    SELECT min(switched_at) AS at
    FROM switches JOIN adapters ON adapters.id = switches.adapter_id
    WHERE adapters.name = runs.adapter AND switched_at < %(until)s
) AS served ON true
WHERE NOT is_rehearsal AND started_at >= %(since)s AND started_at < %(until)s
ORDER BY runs.id

-- name: count_judged
-- Answers that people judged, whatever the number of votes: liked by the balance of their current votes.
SELECT count(*) FILTER (WHERE balance > 0)::integer AS liked, count(*) FILTER (WHERE balance <> 0)::integer AS count
FROM (
    SELECT sum(value) AS balance
    FROM current_feedback JOIN interactions ON interactions.id = interaction_id
    WHERE current_feedback.given_at >= %(since)s AND current_feedback.given_at < %(until)s
      AND mode IN ('generated', 'quoted')
    GROUP BY interaction_id
) AS judged
