-- name: find_places
SELECT place FROM slack_installations ORDER BY place

-- name: find_all
SELECT place, sealed, expires_at FROM slack_installations ORDER BY place

-- name: find_organisations
SELECT place FROM slack_installations WHERE starts_with(place, 'E') ORDER BY place

-- name: find_place
SELECT place FROM slack_installations WHERE place = %(team)s
UNION ALL
SELECT place FROM slack_organisation_teams WHERE team = %(team)s

-- name: add_team
INSERT INTO slack_organisation_teams (team, place) VALUES (%(team)s, %(place)s)
ON CONFLICT (team) DO UPDATE SET place = excluded.place

-- name: get
SELECT place, sealed, expires_at FROM slack_installations WHERE place = %(place)s

-- name: lock
SELECT place, sealed, expires_at FROM slack_installations WHERE place = %(place)s FOR UPDATE

-- name: store
WITH stored AS (
    INSERT INTO slack_installations (place, sealed, scopes, installed_by, expires_at)
    VALUES (%(place)s, %(sealed)s, %(scopes)s, %(installed_by)s, %(expires_at)s)
    ON CONFLICT (place) DO UPDATE SET
        sealed = excluded.sealed, scopes = excluded.scopes, installed_by = excluded.installed_by,
        expires_at = excluded.expires_at, installed_at = now(), refreshed_at = NULL
    RETURNING place, installed_by
)
INSERT INTO audit (actor, act, subject)
SELECT 'slack:' || place || ':' || installed_by, 'install slack app', place FROM stored

-- name: set_refreshed
UPDATE slack_installations SET sealed = %(sealed)s, expires_at = %(expires_at)s, refreshed_at = now()
WHERE place = %(place)s

-- name: renew
UPDATE slack_installations SET sealed = %(sealed)s WHERE place = %(place)s AND sealed = %(was)s

-- name: remove
WITH removed AS (
    DELETE FROM slack_installations WHERE place = %(place)s AND installed_at < %(before)s RETURNING place
), audited AS (
    INSERT INTO audit (actor, act, subject) SELECT 'slack', 'remove slack app', place FROM removed
)
SELECT place FROM removed
