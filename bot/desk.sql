-- name: get_night
SELECT runs.id, runs.adapter,
       (SELECT adapter_states.state FROM adapter_states WHERE adapter_states.name = runs.adapter) AS adapter_state,
       (SELECT CASE WHEN paused THEN set_by END FROM night_pauses ORDER BY id DESC LIMIT 1) AS paused_by,
       coalesce((
           SELECT jsonb_agg(jsonb_build_object('name', adapters.name, 'switched_by', switched_by,
                                               'reason', switches.reason) ORDER BY switches.id)
           FROM switches LEFT JOIN adapters ON adapters.id = switches.adapter_id
           WHERE switched_at > runs.finished_at
       ), '[]') AS since
FROM runs WHERE runs.id = %(id)s
