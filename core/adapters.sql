-- name: register
INSERT INTO adapters (name, folder, base_model, sha256, manifest, audience)
VALUES (%(name)s, %(folder)s, %(base_model)s, %(sha256)s, %(manifest)s, %(audience)s)
ON CONFLICT (name) DO UPDATE SET folder = excluded.folder
RETURNING id

-- name: find_all
SELECT id, name, folder, base_model, sha256, manifest, created_at, reason, state, audience, deleted_at
FROM adapter_states ORDER BY id DESC

-- name: get
SELECT id, name, folder, base_model, sha256, manifest, created_at, reason, state, audience, deleted_at
FROM adapter_states WHERE name = %(name)s

-- name: get_active
SELECT id, name, folder, base_model, sha256, manifest, created_at, reason, state, audience, deleted_at
FROM adapter_states
WHERE id = coalesce((SELECT adapter_id FROM served WHERE audience = %(audience)s), (SELECT adapter_id FROM serving))

-- name: find_served
SELECT id, name, folder, base_model, sha256, manifest, created_at, reason, state, audience, deleted_at
FROM adapter_states WHERE state IN ('active', 'trial') ORDER BY id

-- name: find_supervised
-- An audience's own first, then everyone's.
SELECT id, name, folder, base_model, sha256, manifest, created_at, reason, state, audience, deleted_at
FROM adapter_states
WHERE audience IN (%(audience)s, 'everyone') AND base_model = %(base_model)s AND deleted_at IS NULL
  AND manifest ->> 'trained' = 'sft' AND state IN ('active', 'trial', 'retired')
ORDER BY audience = %(audience)s DESC, id DESC LIMIT 1

-- name: reject
UPDATE adapters SET rejected_at = now(), reason = %(reason)s WHERE name = %(name)s

-- name: switch
WITH switched AS (
    INSERT INTO switches (adapter_id, switched_by, reason, audience, trial_id, trial_share, facts)
    SELECT (SELECT id FROM adapters WHERE name = %(name)s), %(by)s, %(reason)s,
           coalesce((SELECT audience FROM adapters WHERE name = %(name)s), %(audience)s),
           (SELECT id FROM adapters WHERE name = %(trial)s), %(share)s, %(facts)s
    WHERE (%(name)s::text IS NULL OR EXISTS (SELECT FROM adapters WHERE name = %(name)s))
      AND (%(trial)s::text IS NULL OR EXISTS (SELECT FROM adapters WHERE name = %(trial)s))
      AND (%(after)s::bigint IS NULL OR %(after)s = (SELECT switch_id FROM serving))
    RETURNING id
), audited AS (
    INSERT INTO audit (actor, act, subject)
    SELECT %(by)s, %(act)s, coalesce(%(trial)s, %(name)s, 'base model') FROM switched
)
SELECT id FROM switched

-- name: get_previous
SELECT adapters.name
FROM switches LEFT JOIN adapters ON adapters.id = switches.adapter_id
     JOIN served ON served.audience = switches.audience AND switches.id < served.switch_id
                    AND switches.adapter_id IS DISTINCT FROM served.adapter_id
WHERE switches.audience = %(audience)s
  -- What was found harmful, or was trained on somebody who is forgotten, after it had been served.
  AND (adapters.rejected_at IS NULL OR adapters.rejected_at < switches.switched_at)
  AND adapters.deleted_at IS NULL
ORDER BY switches.id DESC LIMIT 1

-- name: find_serving
SELECT switch_id, name, trial, trial_share AS share, switched_at FROM serving

-- name: find_answering
SELECT DISTINCT adapter AS name FROM interactions
WHERE finished_at IS NULL AND adapter IS NOT NULL AND began_at > now() - make_interval(secs => %(seconds)s)

-- name: find_baked_prompt
SELECT manifest ->> 'baked_prompt' AS name FROM adapters WHERE name = %(name)s

-- name: mark_deleted
UPDATE adapters SET deleted_at = now() WHERE name = %(name)s

-- name: find_switches
SELECT switches.id, adapters.name, switched_by, switches.reason, switched_at, switches.audience, trial.name AS trial,
       trial_share
FROM switches
LEFT JOIN adapters ON adapters.id = switches.adapter_id
LEFT JOIN adapters AS trial ON trial.id = switches.trial_id
ORDER BY switches.id DESC LIMIT %(limit)s
