-- name: begin
WITH unfinished AS (
    SELECT id FROM exercise_makes
    WHERE ended_at IS NULL AND arguments = %(arguments)s::jsonb AND model IS NOT DISTINCT FROM %(model)s
    ORDER BY id DESC LIMIT 1
), fresh AS (
    INSERT INTO exercise_makes (arguments, model)
    SELECT %(arguments)s::jsonb, %(model)s WHERE NOT EXISTS (SELECT FROM unfinished)
    RETURNING id
)
SELECT id, (SELECT count(*) FROM exercise_drafts WHERE make_id = found.id AND reason IS NULL) AS accepted
FROM (SELECT id FROM unfinished UNION ALL SELECT id FROM fresh) AS found

-- name: end
UPDATE exercise_makes SET ended_at = now() WHERE id = %(id)s

-- name: find_tried
SELECT key FROM exercise_drafts

-- name: find_asked
SELECT kind, purpose, CASE kind WHEN 'choice_writing' THEN split_part(answer, chr(10), 1) ELSE question END AS subject,
       coalesce(options[right_option + 1], answer) AS answer
FROM exercises
ORDER BY id

-- name: record_fault
WITH counted AS (
    UPDATE exercise_makes SET seconds = seconds + %(seconds)s WHERE id = %(make_id)s
)
INSERT INTO exercise_drafts (key, make_id, kind, origin, reason, requests, prompt_tokens, completion_tokens, model_seconds)
VALUES (%(key)s, %(make_id)s, %(kind)s, %(origin)s, %(reason)s,
        %(requests)s, %(prompt_tokens)s, %(completion_tokens)s, %(model_seconds)s)
ON CONFLICT DO NOTHING

-- name: record
WITH stored AS (
    INSERT INTO exercises (sha256, kind, origin, purpose, language, question, answer, clue, title, heading_path, shape,
                           options, right_option, negatives, parent_id, step, probe)
    SELECT %(sha256)s, %(kind)s, %(origin)s, %(purpose)s, %(language)s, %(question)s, %(answer)s, %(clue)s, %(title)s,
           %(heading_path)s, %(shape)s, %(options)s::text[], %(right_option)s::smallint, %(negatives)s::jsonb,
           %(parent_id)s::bigint, %(step)s, %(probe)s::jsonb
    WHERE (SELECT count(*) FROM documents WHERE id = ANY(%(document_ids)s::bigint[]) AND removed_at IS NULL)
          = cardinality(%(document_ids)s::bigint[])
    ON CONFLICT (sha256) DO NOTHING
    RETURNING id
), linked AS (
    INSERT INTO exercise_documents (exercise_id, document_id, version, is_clue)
    SELECT stored.id, used.id, used.version, used.id IS NOT DISTINCT FROM %(clue_document)s::bigint
    FROM stored, unnest(%(document_ids)s::bigint[], %(versions)s::integer[]) AS used(id, version)
), counted AS (
    UPDATE exercise_makes SET seconds = seconds + %(seconds)s WHERE id = %(make_id)s
)
INSERT INTO exercise_drafts (key, make_id, kind, origin, reason, exercise_id,
                             requests, prompt_tokens, completion_tokens, model_seconds)
SELECT %(key)s, %(make_id)s, %(kind)s, %(origin)s, CASE WHEN stored.id IS NULL THEN 'duplicate' END, stored.id,
       %(requests)s, %(prompt_tokens)s, %(completion_tokens)s, %(model_seconds)s
FROM (VALUES (1)) AS always LEFT JOIN stored ON true
ON CONFLICT DO NOTHING
RETURNING exercise_id

-- name: find_yields
SELECT kind, origin, reason, count(*) AS drafts, sum(requests) AS requests, sum(prompt_tokens) AS prompt_tokens,
       sum(completion_tokens) AS completion_tokens, sum(model_seconds) AS model_seconds
FROM exercise_drafts
WHERE %(make_id)s::bigint IS NULL OR make_id = %(make_id)s
GROUP BY kind, origin, reason
ORDER BY kind, origin, reason NULLS FIRST

-- name: find
SELECT exercises.id, kind, origin, purpose, language, judged.question, judged.answer, clue, exercises.title,
       heading_path, shape, options, right_option, negatives, parent_id, step, probe, state, accepts, rejects,
       (SELECT jsonb_agg(jsonb_build_object('id', documents.id, 'version', used.version, 'title', documents.title,
                                            'allow', documents.allow, 'deny', documents.deny)
                         ORDER BY is_clue DESC, documents.id)
        FROM exercise_documents AS used JOIN documents ON documents.id = used.document_id
        WHERE used.exercise_id = exercises.id) AS documents,
       made_at
FROM exercises JOIN judged_exercises(%(share)s::real, %(wanted)s) AS judged ON judged.exercise_id = exercises.id
WHERE (%(id)s::bigint IS NULL OR exercises.id = %(id)s)
  AND (%(kind)s::text IS NULL OR kind = %(kind)s)
  AND (%(state)s::text IS NULL OR state = %(state)s)
  AND (%(purpose)s::text IS NULL OR purpose = %(purpose)s)
  AND (%(words)s::text IS NULL
       OR strpos(lower(judged.question || ' ' || judged.answer || ' ' || exercises.title), lower(%(words)s)) > 0)
  AND (%(before)s::bigint IS NULL OR exercises.id < %(before)s)
  AND (%(principals)s::text[] IS NULL
       OR NOT EXISTS (SELECT FROM exercise_documents AS used
                      WHERE used.exercise_id = exercises.id
                        AND used.document_id NOT IN (SELECT id FROM visible_documents(%(principals)s::text[]))))
ORDER BY exercises.id DESC
LIMIT %(limit)s

-- name: count_states
SELECT kind, state, count(*)
FROM exercises JOIN judged_exercises(%(share)s::real, %(wanted)s) AS judged ON judged.exercise_id = exercises.id
GROUP BY kind, state
ORDER BY kind, state
