-- name: add_library
-- One passage a document, of about 800 characters: a fact of its own, and words that all of them share.
WITH added AS (
    INSERT INTO documents (source, path, title, format, language, sha256, recipe, allow, deny, owner)
    SELECT '/benchmark', 'rule-' || n || '.md', 'Rule ' || n, 'markdown', 'en', '', '',
           CASE WHEN n %% 20 = 0 THEN '{group:board}' ELSE '{everyone}' END::text[], '{}', 'user:owner-' || n %% 50
    FROM generate_series(1, %(chunks)s) AS n
    RETURNING id, path, title
)
INSERT INTO chunks (document_id, version, ordinal, heading_path, start_offset, end_offset, text, sha256, language, length)
SELECT id, 1, 0, 'Rules', 0, 800,
       'For subject ' || n || ' the company grants ' || 1000 + n || ' days. Ask your team lead first. '
       || (SELECT string_agg(substr(md5(n || ':' || word), 1, 7), ' ') FROM generate_series(1, 90) AS word),
       '', 'en', 100
FROM (SELECT id, substring(path, '\d+')::integer AS n FROM added ORDER BY id) AS numbered

-- name: add_interactions
-- Each draws on three passages; what it answers says whether it will be liked.
WITH numbered AS (
    SELECT n, 1 + (n * 7919) %% %(topics)s AS topic
    FROM generate_series(%(first)s::bigint, %(last)s::bigint) AS n
), shown AS (
    SELECT n, topic,
           jsonb_agg(jsonb_build_object(
               'number', at, 'chunk_id', chunks.id, 'document_id', documents.id, 'document_version', 1,
               'title', title, 'heading_path', heading_path, 'path', path, 'page', NULL, 'start', 0, 'end', 800,
               'text', text, 'language', 'en', 'score', 0.9, 'dense_score', 0.7, 'lexical_score', 12.0,
               'allow', to_jsonb(allow)) ORDER BY at) AS passages,
           string_agg('[' || at || '] ' || title || E'\n' || text, E'\n\n' ORDER BY at) AS text
    FROM numbered
         CROSS JOIN generate_series(1, 3) AS at
         JOIN documents ON path = 'rule-' || 1 + (topic + at - 2) %% %(chunks)s || '.md' AND source = '/benchmark'
         JOIN chunks ON document_id = documents.id
    GROUP BY n, topic
)
INSERT INTO interactions (platform, conversation_key, asker, principals, question, language, began_at, standalone_question,
                          model, messages, sampling, passages, generated, answer, mode, citations, finished_at)
SELECT 'web', 'benchmark:' || n, 'user:' || n %% 5000, '{everyone}', question, 'en', answered_at, question, 'benchmark',
       jsonb_build_array(jsonb_build_object('role', 'system', 'content', repeat('Answer from the passages only. ', 10)),
                         jsonb_build_object('role', 'user', 'content', text || E'\n\n' || question)),
       '{}', passages, answer, answer, 'generated', '{1}', answered_at
FROM shown
     CROSS JOIN LATERAL (
         SELECT 'How many days for subject ' || topic || '?' AS question,
                CASE WHEN n %% 20 < 11 THEN 'For subject ' || topic || ' the company grants ' || 1000 + topic || ' days. [1]'
                     WHEN n %% 20 < 15 THEN 'It may depend on many things, as case ' || n || ' shows.'
                     ELSE 'The company grants ' || 1001 + topic || ' days, see case ' || n || '. [1]' END AS answer,
                now() - make_interval(secs => %(last)s - n + 60) AS answered_at
     ) AS told
ORDER BY n

-- name: add_votes
-- Thumbs, corrections that stand in the passages, in another document and in none, hints, reasons, second thoughts.
INSERT INTO feedback (interaction_id, person, value, source, correction, reason, right_chunk_id, given_at)
SELECT answers.id, 'user:' || (answers.n * 31 + voter * 977) %% 5000,
       CASE WHEN answers.n %% 97 = 0 THEN 0 WHEN is_liked THEN 1 ELSE -1 END, 'web',
       CASE WHEN is_liked OR voter > 1 THEN NULL
            WHEN answers.n %% 7 = 0 THEN 'For subject ' || topic || ' the company grants ' || 1000 + topic || ' days.'
            WHEN answers.n %% 41 = 0 THEN 'For subject ' || 5 + topic || ' the company grants ' || 1005 + topic || ' days.'
            WHEN answers.n %% 43 = 0 THEN 'Subject ' || topic || ' has ' || 900000 + answers.n || ' minutes.' END,
       CASE WHEN NOT is_liked AND answers.n %% 11 = 0 THEN 'wrong_document' END,
       CASE WHEN NOT is_liked AND answers.n %% 29 = 0 THEN (SELECT max(id) FROM chunks) END,
       answers.finished_at + make_interval(secs => voter)
FROM (
    SELECT id, n, 1 + (n * 7919) %% %(topics)s AS topic, n %% 20 < 11 AS is_liked, finished_at
    FROM (SELECT id, substring(conversation_key, '\d+')::bigint AS n, finished_at FROM interactions) AS numbered
    WHERE n <= %(judged)s
) AS answers
CROSS JOIN LATERAL generate_series(1, CASE WHEN answers.n %% 5 = 0 THEN 2 ELSE 1 END) AS voter
ORDER BY answers.id, voter

-- name: read_log
SELECT id, question, language, messages, passages, answer, generated, mode FROM interactions ORDER BY id

-- name: read_judged
SELECT interactions.id, question, language, messages, passages, answer, generated, mode, feedback.*
FROM feedback JOIN interactions ON interactions.id = interaction_id ORDER BY feedback.id
