-- name: find_raters
-- Where nobody voted long ago, everybody is new, and nobody waits.
WITH first AS (
    SELECT coalesce(voter, feedback.person) AS person, min(given_at) AS first_at, max(given_at) AS last_at
    FROM feedback LEFT JOIN people ON people.person = feedback.person
    WHERE given_at < %(window_to)s GROUP BY 1
)
SELECT person, first_at >= %(new_since)s AND (SELECT min(first_at) < %(old_before)s FROM first) AS is_new
FROM first
WHERE last_at >= %(window_from)s
ORDER BY person

-- name: find_bursts
SELECT id AS feedback_id
FROM (
    SELECT id, count(*) OVER (PARTITION BY coalesce(voter, feedback.person) ORDER BY given_at
                              RANGE BETWEEN make_interval(secs => 60 * %(minutes)s) PRECEDING
                                        AND make_interval(secs => 60 * %(minutes)s) FOLLOWING) AS votes
    FROM feedback LEFT JOIN people ON people.person = feedback.person
    WHERE given_at >= %(window_from)s AND given_at < %(window_to)s AND value <> 0
) AS counted
WHERE votes >= %(votes)s
ORDER BY id

-- name: find_together
WITH votes AS (
    SELECT DISTINCT ON (interaction_id, 2) interaction_id, coalesce(voter, feedback.person) AS person, value,
           correction, given_at
    FROM feedback LEFT JOIN people ON people.person = feedback.person
    WHERE given_at >= %(window_from)s AND given_at < %(window_to)s
    ORDER BY interaction_id, 2, said_at DESC, id DESC
), totals AS (
    SELECT person, count(*) AS votes FROM votes GROUP BY person
), same AS (
    SELECT one.person AS one, other.person AS other, count(*) AS answers
    FROM votes AS one JOIN votes AS other USING (interaction_id, value)
    WHERE one.person < other.person AND value <> 0
      AND other.given_at BETWEEN one.given_at - make_interval(secs => 60 * %(minutes)s)
                             AND one.given_at + make_interval(secs => 60 * %(minutes)s)
    GROUP BY one.person, other.person
    HAVING count(*) >= %(answers)s
), corrected AS (
    SELECT DISTINCT person, lower(btrim(correction)) AS words FROM votes WHERE correction IS NOT NULL
), copied AS (
    SELECT one.person AS one, other.person AS other
    FROM corrected AS one JOIN corrected AS other USING (words)
    WHERE one.person < other.person
    GROUP BY one.person, other.person
    HAVING count(*) >= %(corrections)s
)
SELECT one, other
FROM same JOIN totals AS first ON first.person = one JOIN totals AS second ON second.person = other
WHERE answers >= %(share)s * least(first.votes, second.votes)
UNION
SELECT one, other FROM copied
ORDER BY one, other
