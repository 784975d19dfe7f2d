-- name: register
INSERT INTO adapters (name, folder, base_model, sha256, manifest)
VALUES (%(name)s, %(folder)s, %(base_model)s, %(sha256)s, %(manifest)s)
ON CONFLICT (name) DO UPDATE SET folder = excluded.folder
RETURNING id

-- name: find_all
SELECT id, name, folder, base_model, sha256, manifest, created_at, reason, state
FROM adapter_states ORDER BY id DESC

-- name: get
SELECT id, name, folder, base_model, sha256, manifest, created_at, reason, state
FROM adapter_states WHERE name = %(name)s

-- name: get_active
SELECT id, name, folder, base_model, sha256, manifest, created_at, reason, state
FROM adapter_states WHERE state = 'active'

-- name: reject
UPDATE adapters SET rejected_at = now(), reason = %(reason)s WHERE name = %(name)s

-- name: switch
WITH switched AS (
    INSERT INTO switches (adapter_id, switched_by, reason)
    SELECT (SELECT id FROM adapters WHERE name = %(name)s), %(by)s, %(reason)s
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
WHERE switches.id < (SELECT switch_id FROM serving) AND switches.adapter_id IS DISTINCT FROM (SELECT adapter_id FROM serving)
ORDER BY switches.id DESC LIMIT 1

-- name: find_switches
SELECT switches.id, adapters.name, switched_by, switches.reason, switched_at
FROM switches LEFT JOIN adapters ON adapters.id = switches.adapter_id
ORDER BY switches.id DESC LIMIT %(limit)s
