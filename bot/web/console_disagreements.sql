-- name: find_disagreements
-- By what the last collection made of the votes: undecided where it counted none of them, outvoted where some. What is
-- settled stays settled, whatever was voted since.
WITH judged AS (
    SELECT interaction_id,
           bool_and(coalesce(feedback_fates.reason, '') IN ('disagreement', 'settled_otherwise')) AS is_undecided,
           bool_or(coalesce(feedback_fates.reason, '') IN ('disagreement', 'settled_otherwise')) AS is_contested
    FROM current_feedback JOIN feedback_fates ON feedback_id = current_feedback.id
    WHERE value <> 0
    GROUP BY interaction_id
), chosen AS (
    SELECT interactions.id, label.value AS label
    FROM interactions
    LEFT JOIN judged ON judged.interaction_id = interactions.id
    LEFT JOIN LATERAL (
        SELECT value FROM answer_labels WHERE answer_labels.interaction_id = interactions.id
        ORDER BY answer_labels.id DESC LIMIT 1
    ) AS label ON true
    WHERE CASE %(which)s
              WHEN 'undecided' THEN label.value IS NULL AND is_undecided
              WHEN 'outvoted' THEN label.value IS NULL AND is_contested AND NOT is_undecided
              ELSE label.value IS NOT NULL
          END
      AND (%(before)s::bigint IS NULL OR interactions.id < %(before)s)
      AND (%(principals)s::text[] IS NULL
           OR NOT EXISTS (SELECT FROM jsonb_to_recordset(passages) AS shown(document_id bigint)
                          WHERE document_id NOT IN (SELECT id FROM visible_documents(%(principals)s::text[]))))
    ORDER BY interactions.id DESC
    LIMIT %(limit)s
)
SELECT chosen.id, label, coalesce(standalone_question, question) AS question, answer, language, began_at,
       (SELECT coalesce(jsonb_agg(jsonb_build_object('voter', name_voter(person), 'value', value, 'source', source,
                                                     'reason', reason, 'correction', correction,
                                                     'right_source', right_source) ORDER BY value DESC, id), '[]')
        FROM current_feedback WHERE interaction_id = chosen.id AND value <> 0) AS votes,
       (SELECT coalesce(jsonb_agg(jsonb_build_object('number', shown -> 'number', 'title', shown -> 'title',
                                                     'text', shown -> 'text') ORDER BY place), '[]')
        FROM jsonb_array_elements(passages) WITH ORDINALITY AS passage(shown, place)) AS passages
FROM chosen JOIN interactions USING (id)
ORDER BY chosen.id DESC

-- name: add_label
INSERT INTO answer_labels (interaction_id, value, labeller)
SELECT id, %(value)s, %(labeller)s FROM interactions
WHERE id = %(id)s AND finished_at IS NOT NULL
  AND (%(principals)s::text[] IS NULL
       OR NOT EXISTS (SELECT FROM jsonb_to_recordset(passages) AS shown(document_id bigint)
                      WHERE document_id NOT IN (SELECT id FROM visible_documents(%(principals)s::text[]))))
RETURNING id
