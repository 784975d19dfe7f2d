-- The name of the schema takes the place of `evaluation_schema`, quoted: a statement's parameters cannot be names.

-- name: analyze
ANALYZE

-- name: create_extension
CREATE EXTENSION IF NOT EXISTS vector WITH SCHEMA public

-- name: find_schemas
SELECT nspname::text AS name FROM pg_namespace WHERE starts_with(nspname::text, %(prefix)s)

-- name: create_schema
CREATE SCHEMA evaluation_schema

-- name: drop_schema
DROP SCHEMA IF EXISTS evaluation_schema CASCADE
