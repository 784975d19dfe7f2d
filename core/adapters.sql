-- name: register
INSERT INTO adapters (name, folder, base_model, sha256, manifest, audience)
VALUES (%(name)s, %(folder)s, %(base_model)s, %(sha256)s, %(manifest)s, %(audience)s)
ON CONFLICT (name) DO UPDATE SET folder = excluded.folder
RETURNING id

-- name: find_all
SELECT id, name, folder, base_model, sha256, manifest, created_at, reason, state, audience
FROM adapter_states ORDER BY id DESC

-- name: get
SELECT id, name, folder, base_model, sha256, manifest, created_at, reason, state, audience
FROM adapter_states WHERE name = %(name)s

-- name: get_active
SELECT id, name, folder, base_model, sha256, manifest, created_at, reason, state, audience
FROM adapter_states
WHERE id = coalesce((SELECT adapter_id FROM served WHERE audience = %(audience)s), (SELECT adapter_id FROM serving))

-- name: find_served
SELECT id, name, folder, base_model, sha256, manifest, created_at, reason, state, audience
FROM adapter_states WHERE state = 'active' ORDER BY id

-- name: reject
UPDATE adapters SET rejected_at = now(), reason = %(reason)s WHERE name = %(name)s

-- name: switch
WITH switched AS (
    INSERT INTO switches (adapter_id, switched_by, reason, audience)
    SELECT (SELECT id FROM adapters WHERE name = %(name)s), %(by)s, %(reason)s,
           coalesce((SELECT audience FROM adapters WHERE name = %(name)s), %(audience)s)
    WHERE %(name)s::text IS NULL OR EXISTS (SELECT FROM adapters WHERE name = %(name)s)
    RETURNING id
), audited AS (
    INSERT INTO audit (actor, act, subject)
    SELECT %(by)s, %(act)s, coalesce(%(name)s, 'base model') FROM switched
)
SELECT id FROM switched

-- name: get_previous
SELECT adapters.name
FROM switches LEFT JOIN adapters ON adapters.id = switches.adapter_id
     JOIN served ON served.audience = switches.audience AND switches.id < served.switch_id
                    AND switches.adapter_id IS DISTINCT FROM served.adapter_id
WHERE switches.audience = %(audience)s
ORDER BY switches.id DESC LIMIT 1

-- name: find_switches
SELECT switches.id, adapters.name, switched_by, switches.reason, switched_at, switches.audience
FROM switches LEFT JOIN adapters ON adapters.id = switches.adapter_id
ORDER BY switches.id DESC LIMIT %(limit)s
