-- name: find_sides
SELECT question, side FROM question_sides
WHERE lineage = %(lineage)s AND question = ANY(%(questions)s)
ORDER BY question

-- name: pin_sides
INSERT INTO question_sides (lineage, question, side, run_id)
SELECT %(lineage)s, question, side, %(run_id)s FROM jsonb_each_text(%(sides)s) AS decided(question, side)
ORDER BY question
ON CONFLICT (lineage, question) DO NOTHING
