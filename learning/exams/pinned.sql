-- name: pin
WITH wanted AS (
    SELECT item.place, (item.one ->> 'exercise_id')::bigint AS exercise_id, (item.one ->> 'version')::integer AS version,
           item.one ->> 'sha256' AS sha256, item.one ->> 'language' AS language, item.one ->> 'question' AS question,
           ARRAY(SELECT jsonb_array_elements_text(item.one -> 'options')) AS options,
           (item.one ->> 'right_option')::smallint AS right_option
    FROM jsonb_array_elements(%(items)s::jsonb) WITH ORDINALITY AS item(one, place)
), pinned AS (
    INSERT INTO pinned_exams (sha256, items, pinned_by)
    SELECT %(sha256)s, count(*), %(by)s FROM wanted
    ON CONFLICT (sha256) DO NOTHING
    RETURNING id
), kept AS (
    INSERT INTO pinned_items (exam_id, place, exercise_id, version, sha256, language, question, options, right_option)
    SELECT pinned.id, place, exercise_id, version, sha256, language, question, options, right_option FROM pinned, wanted
)
SELECT id FROM pinned

-- name: find_exams
SELECT id, sha256, items, pinned_by, pinned_at,
       (SELECT count(*) FROM pinned_items JOIN current_exercises ON current_exercises.id = exercise_id
        WHERE exam_id = pinned_exams.id) AS asked
FROM pinned_exams
ORDER BY id DESC

-- name: find_items
-- Those whose documents are there and still say what they said.
SELECT pinned_items.place, pinned_items.exercise_id, pinned_items.version, pinned_items.sha256, pinned_items.language,
       pinned_items.question, pinned_items.options, pinned_items.right_option,
       (SELECT jsonb_agg(jsonb_build_object('id', documents.id, 'title', documents.title, 'allow', documents.allow)
                         ORDER BY is_clue DESC, documents.id)
        FROM exercise_documents AS used JOIN documents ON documents.id = used.document_id
        WHERE used.exercise_id = pinned_items.exercise_id) AS documents
FROM pinned_items JOIN current_exercises ON current_exercises.id = pinned_items.exercise_id
WHERE exam_id = %(exam_id)s
  AND (%(principals)s::text[] IS NULL
       OR NOT EXISTS (SELECT FROM exercise_documents AS used
                      WHERE used.exercise_id = pinned_items.exercise_id
                        AND used.document_id NOT IN (SELECT id FROM visible_documents(%(principals)s::text[]))))
ORDER BY place
