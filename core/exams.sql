-- name: record
INSERT INTO exams (asked_by, adapter, cells, failed)
VALUES (%(by)s, %(adapter)s, %(cells)s::jsonb, %(failed)s::jsonb)

-- name: find_latest
SELECT id, asked_at, asked_by, adapter, cells, failed FROM exams ORDER BY id DESC LIMIT %(limit)s

-- name: record_run
INSERT INTO exam_runs (exam_id, ran_by, facts, results)
VALUES (%(exam_id)s, %(by)s, %(facts)s::jsonb, %(results)s::jsonb)
RETURNING id

-- name: find_runs
SELECT id, exam_id, ran_at, ran_by, facts, results FROM exam_runs
WHERE %(exam_id)s::bigint IS NULL OR exam_id = %(exam_id)s
ORDER BY id DESC
LIMIT %(limit)s
