-- name: find_held
SELECT question, options[right_option + 1] AS answer FROM pinned_items
UNION
SELECT question, coalesce(nullif(answer, ''), accept[1], '') FROM golden_questions
ORDER BY 1, 2
