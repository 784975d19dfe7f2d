-- name: record_act
INSERT INTO audit (actor, act, subject) VALUES (%(actor)s, %(act)s, %(subject)s)
