-- name: begin
INSERT INTO model_rests (run_id, way, ends_by) VALUES (%(run_id)s, %(way)s, %(ends_by)s)
ON CONFLICT (only_row) DO UPDATE SET run_id = excluded.run_id, way = excluded.way, ends_by = excluded.ends_by

-- name: end
DELETE FROM model_rests

-- name: find
SELECT run_id, way, began_at, ends_by FROM model_rests

-- name: is_resting
SELECT ends_by > now() AS resting FROM model_rests
