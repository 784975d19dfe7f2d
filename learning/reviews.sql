-- name: find_reviews
SELECT DISTINCT ON (pair_id) sha256, verdict, pair_reviews.chosen
FROM pair_reviews JOIN pairs ON pairs.id = pair_id
ORDER BY pair_id, pair_reviews.id DESC
