-- name: blank_event
UPDATE inbox SET payload = '{}', conversation_key = 'erased', event_key = 'erased:' || id WHERE id = %(id)s
