-- name: count_taken_back
-- Of what the adapter learnt, that which this night does not train on.
SELECT (SELECT count(*) FROM run_pairs AS learnt JOIN runs ON runs.id = learnt.run_id
        WHERE runs.adapter = %(adapter)s AND learnt.state = 'trained'
          AND NOT EXISTS (SELECT FROM run_pairs AS tonight
                          WHERE tonight.run_id = %(run_id)s AND tonight.pair_id = learnt.pair_id
                            AND tonight.state = 'trained'))
     + (SELECT count(*) FROM run_singles AS learnt JOIN runs ON runs.id = learnt.run_id
        WHERE runs.adapter = %(adapter)s AND learnt.use = 'kto'
          AND NOT EXISTS (SELECT FROM run_singles AS tonight
                          WHERE tonight.run_id = %(run_id)s AND tonight.interaction_id = learnt.interaction_id
                            AND tonight.use = 'kto' AND tonight.is_liked = learnt.is_liked)) AS back

-- name: find_learnt
SELECT sha256 FROM pairs JOIN run_pairs ON pairs.id = pair_id JOIN runs ON runs.id = run_id
WHERE adapter = %(adapter)s AND run_pairs.state = 'trained'
