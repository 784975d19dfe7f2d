-- name: count
SELECT count(*) AS chunks FROM chunks

-- name: create_extension
CREATE EXTENSION IF NOT EXISTS vector WITH SCHEMA public

-- name: create_schema
CREATE SCHEMA evaluation

-- name: drop_schema
DROP SCHEMA IF EXISTS evaluation CASCADE

-- name: analyze
ANALYZE
