-- name: find_taught
SELECT ARRAY(SELECT jsonb_array_elements_text(counts -> 'exercises')::bigint) AS exercises
FROM runs WHERE adapter = %(adapter)s AND kind = 'exercises'
ORDER BY id DESC LIMIT 1
