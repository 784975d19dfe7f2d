-- name: find_judged
SELECT interactions.id, coalesce(standalone_question, question) AS question, language,
       leave_out_examples(messages, cardinality(example_ids)) AS messages, passages, answer,
       generated, mode, mode_reason, list_example_access(example_ids) AS example_access,
       (SELECT jsonb_agg(jsonb_build_object('feedback_id', current_feedback.id, 'interaction_id', interactions.id,
                                            'person', person, 'value', value, 'correction', correction,
                                            'given_at', given_at, 'is_current', true) ORDER BY current_feedback.id)
        FROM current_feedback
        WHERE interaction_id = interactions.id AND value <> 0 AND id IN (SELECT id FROM trainable_feedback)) AS votes
FROM interactions
WHERE finished_at IS NOT NULL AND messages IS NOT NULL AND jsonb_array_length(messages) > 0
      AND EXISTS (SELECT FROM trainable_feedback WHERE interaction_id = interactions.id)
      -- What everyone might read then and not now stays inside too.
      AND NOT (%(public_only)s AND EXISTS (
          SELECT FROM jsonb_to_recordset(passages) AS shown(document_id bigint)
          LEFT JOIN documents ON documents.id = shown.document_id AND removed_at IS NULL
          WHERE documents.id IS NULL OR NOT documents.allow && '{everyone,public}' OR cardinality(documents.deny) > 0))
ORDER BY interactions.id
