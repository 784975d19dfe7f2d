-- name: file_gap
INSERT INTO gaps (interaction_id, question, language, topic, nearest, confidence)
VALUES (%(interaction_id)s, %(question)s, %(language)s, %(topic)s, %(nearest)s, %(confidence)s)
ON CONFLICT (interaction_id) DO NOTHING

-- name: find_topics
SELECT topic, count(*)::integer AS asked, (array_agg(question ORDER BY id DESC))[1] AS question,
       (array_agg(language ORDER BY id DESC))[1] AS language, jsonb_agg(to_jsonb(nearest) ORDER BY id DESC) -> 0 AS nearest,
       min(filed_at) AS first_filed_at, max(filed_at) AS last_filed_at, array_agg(interaction_id ORDER BY id) AS answers
FROM gaps
WHERE filed_at >= %(since)s AND filed_at < coalesce(%(until)s, 'infinity'::timestamptz)
GROUP BY topic
ORDER BY asked DESC, last_filed_at DESC
LIMIT %(limit)s
