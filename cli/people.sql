-- name: find_memberships
SELECT person, array_agg(principal ORDER BY principal) AS groups FROM memberships GROUP BY person ORDER BY person
