-- name: find_exercises
-- What waits for a person is what nobody decided yet and they did not look at; where two differ, a third is asked.
SELECT exercises.id, kind, origin, purpose, language, judged.question, judged.answer, clue, title, heading_path, shape,
       options, right_option, negatives, step, probe, state, accepts, rejects, review.verdict,
       (SELECT jsonb_agg(jsonb_build_object('id', documents.id, 'title', documents.title) ORDER BY is_clue DESC, documents.id)
        FROM exercise_documents AS used JOIN documents ON documents.id = used.document_id
        WHERE used.exercise_id = exercises.id) AS documents
FROM exercises
JOIN judged_exercises(%(share)s::real, %(wanted)s) AS judged ON judged.exercise_id = exercises.id
LEFT JOIN LATERAL (
    SELECT verdict FROM exercise_reviews
    WHERE exercise_reviews.exercise_id = exercises.id AND reviewer = %(person)s
    ORDER BY exercise_reviews.id DESC LIMIT 1
) AS review ON true
WHERE (%(kind)s::text IS NULL OR kind = %(kind)s)
  AND CASE %(which)s
          WHEN 'mine' THEN state IN ('waits', 'disputed') AND review.verdict IS NULL
          WHEN 'all' THEN true
          ELSE state = %(which)s
      END
  AND (%(before)s::bigint IS NULL OR exercises.id < %(before)s)
  AND (%(principals)s::text[] IS NULL
       OR NOT EXISTS (SELECT FROM exercise_documents AS used
                      WHERE used.exercise_id = exercises.id
                        AND used.document_id NOT IN (SELECT id FROM visible_documents(%(principals)s::text[]))))
ORDER BY exercises.id DESC
LIMIT %(limit)s

-- name: count_waiting
SELECT count(*) FILTER (WHERE state IN ('waits', 'disputed') AND NOT EXISTS (
           SELECT FROM exercise_reviews AS review
           WHERE review.exercise_id = judged.exercise_id AND reviewer = %(person)s)) AS mine,
       count(*) FILTER (WHERE state = 'accepted') AS accepted,
       count(*) FILTER (WHERE state = 'rejected') AS rejected,
       count(*) AS everything,
       (SELECT coalesce(sum(seconds), 0) / 60 FROM exercise_reviews) AS minutes
FROM judged_exercises(%(share)s::real, %(wanted)s) AS judged

-- name: find_exercise
SELECT question, answer, options, right_option FROM exercises
WHERE id = %(id)s
  AND (%(principals)s::text[] IS NULL
       OR NOT EXISTS (SELECT FROM exercise_documents AS used
                      WHERE used.exercise_id = exercises.id
                        AND used.document_id NOT IN (SELECT id FROM visible_documents(%(principals)s::text[]))))

-- name: add_review
INSERT INTO exercise_reviews (exercise_id, verdict, question, answer, reviewer, seconds)
VALUES (%(id)s, %(verdict)s, %(question)s, %(answer)s, %(reviewer)s, %(seconds)s)
