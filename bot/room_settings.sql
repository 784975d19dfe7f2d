-- name: get
SELECT listens, sources, language, allows_training FROM room_settings WHERE room = %(room)s

-- name: set
-- What the search learnt from votes of this room is learnt anew, with its consent as it is now.
WITH former AS (
    SELECT allows_training FROM room_settings WHERE room = %(room)s
), audited AS (
    INSERT INTO audit (actor, act, subject) VALUES (%(by)s, 'room settings', %(room)s)
), untaught AS (
    INSERT INTO untaught_votes (interaction_id)
    SELECT DISTINCT feedback.interaction_id
    FROM feedback JOIN interactions ON interactions.id = feedback.interaction_id
    WHERE starts_with(conversation_key, %(room)s || ':')
      AND coalesce((SELECT allows_training FROM former), true) <> %(allows_training)s
)
INSERT INTO room_settings (room, listens, sources, language, allows_training, set_by)
VALUES (%(room)s, %(listens)s, %(sources)s, %(language)s, %(allows_training)s, %(by)s)
ON CONFLICT (room) DO UPDATE SET
    listens = excluded.listens, sources = excluded.sources, language = excluded.language,
    allows_training = excluded.allows_training, set_by = excluded.set_by, set_at = now()

-- name: find_sources
SELECT source FROM document_sources ORDER BY source
