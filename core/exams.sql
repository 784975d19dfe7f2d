-- name: record
INSERT INTO exams (asked_by, adapter, cells, failed)
VALUES (%(by)s, %(adapter)s, %(cells)s::jsonb, %(failed)s::jsonb)

-- name: find_latest
SELECT id, asked_at, asked_by, adapter, cells, failed FROM exams ORDER BY id DESC LIMIT %(limit)s
