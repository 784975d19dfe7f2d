-- name: add
-- People know a document by its title: one that a single document has stands for its path.
INSERT INTO golden_questions (language, question, answer, accept, sources, principals, added_by)
VALUES (%(language)s, %(question)s, %(answer)s, %(accept)s::text[],
        ARRAY(SELECT coalesce(found.path, named.source)
              FROM unnest(%(sources)s::text[]) WITH ORDINALITY AS named (source, place)
              LEFT JOIN LATERAL (SELECT min(path) AS path FROM documents
                                 WHERE named.source IN (path, title) AND removed_at IS NULL
                                 HAVING count(*) = 1) AS found ON true
              ORDER BY place),
        %(principals)s::text[], %(by)s)
ON CONFLICT (md5(question), principals) DO NOTHING
RETURNING id

-- name: find
SELECT golden.id, language, question, answer, accept, sources, principals, added_by, added_at, state,
       ARRAY(SELECT path FROM unnest(golden.sources) AS path
             WHERE NOT EXISTS (SELECT FROM documents WHERE documents.path = path.path AND removed_at IS NULL)) AS missing
FROM reviewed_golden_questions AS golden
WHERE (%(state)s::text IS NULL OR state = %(state)s) AND (%(id)s::bigint IS NULL OR golden.id = %(id)s)
ORDER BY golden.id

-- name: remove
DELETE FROM golden_questions WHERE id = ANY(%(ids)s::bigint[]) RETURNING id

-- name: edit
UPDATE golden_questions
SET language = %(language)s, question = %(question)s, answer = %(answer)s, accept = %(accept)s::text[]
WHERE id = %(id)s

-- name: review
INSERT INTO golden_reviews (golden_id, verdict, said, adapter, is_right, reviewer)
SELECT id, %(verdict)s, %(said)s, %(adapter)s, %(is_right)s, %(by)s FROM golden_questions WHERE id = %(id)s

-- name: find_judged
-- What was said before an edit was said of another question or another right answer.
SELECT DISTINCT ON (golden_id, md5(said)) golden_id, said, is_right
FROM golden_reviews
WHERE is_right IS NOT NULL
  AND id >= coalesce((SELECT max(edited.id) FROM golden_reviews AS edited
                      WHERE edited.golden_id = golden_reviews.golden_id AND edited.verdict = 'edit'), 0)
ORDER BY golden_id, md5(said), id DESC
