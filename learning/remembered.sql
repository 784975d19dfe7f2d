-- name: count
SELECT (SELECT count(*) FROM memory_states WHERE state = 'standing')::integer AS standing,
       (SELECT count(*) FROM memories JOIN memory_states USING (interaction_id)
        WHERE state = 'standing' AND has_learnt(%(adapter)s::text, feedback_id, interaction_id))::integer AS learnt,
       count(*) FILTER (WHERE example_ids <> '{}')::integer AS answers,
       coalesce(sum(example_tokens), 0)::bigint AS spent_tokens, coalesce(sum(spared_tokens), 0)::bigint AS spared_tokens
FROM interactions
WHERE finished_at >= %(since)s AND finished_at < %(until)s
