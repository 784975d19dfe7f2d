-- name: register_model
INSERT INTO embedding_models (name, dimension, languages) VALUES ('benchmark', %(dimension)s, '{en}') RETURNING id

-- name: copy_documents
COPY documents (id, source, path, allow, deny, title, format, language, sha256, recipe) FROM STDIN

-- name: put_chunks
INSERT INTO chunks (id, document_id, version, ordinal, heading_path, start_offset, end_offset, text, sha256, language,
                    length)
OVERRIDING SYSTEM VALUE
SELECT number + 1, number / %(of_document)s + 1, 1, number %% %(of_document)s, '', 0, 1, 'x', number::text, 'en', 1
FROM generate_series(%(first)s::bigint, %(last)s::bigint) AS number

-- name: copy_vectors
COPY embeddings (chunk_id, document_id, model_id, vector) FROM STDIN (FORMAT binary)

-- name: search_bare
SELECT chunk_id FROM embeddings WHERE model_id = %(model_id)s ORDER BY vector <#> %(vector)s::halfvec LIMIT 10
