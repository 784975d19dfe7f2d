-- name: find_filtered
-- A name matches an owner's last part whole (`user:kim`, `slack:T1:kim`) or before its @.
SELECT id FROM visible_documents(%(principals)s::text[])
WHERE (%(changed_from)s::date IS NULL OR changed_at >= %(changed_from)s::date)
      AND (%(changed_until)s::date IS NULL OR changed_at < %(changed_until)s::date)
      AND (%(owner)s::text IS NULL
           OR lower(%(owner)s::text) IN (lower(owner), lower(split_part(split_part(owner, ':', -1), '@', 1))))
