-- Each part of the service reads and writes as a role that may do no more than the part needs, and who answers people reads
-- no passage, title or memory that the asker may not read, whatever a statement forgets. docs/operations.md says who is who.

-- Roles belong to the whole server: another database of it may have made them.
DO $$
DECLARE
    wanted text;
    is_new_server CONSTANT boolean := current_setting('server_version_num')::integer >= 160000;
BEGIN
    FOREACH wanted IN ARRAY ARRAY['nightbake_bot', 'nightbake_index', 'nightbake_night', 'nightbake_console'] LOOP
        BEGIN
            IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = wanted) THEN
                EXECUTE format('CREATE ROLE %I NOLOGIN', wanted);
            END IF;
            IF NOT pg_has_role(wanted, CASE WHEN is_new_server THEN 'SET' ELSE 'MEMBER' END) THEN
                EXECUTE format('GRANT %I TO CURRENT_USER', wanted);
            END IF;
        EXCEPTION
            WHEN duplicate_object OR unique_violation THEN NULL;
            WHEN insufficient_privilege THEN
                RAISE EXCEPTION 'the role % is missing, or % may not take it; let an administrator of the server '
                    'CREATE ROLE % and GRANT % TO %, and so each role of docs/operations.md, "Roles in the database"',
                    wanted, current_user, wanted, wanted, current_user;
        END;
    END LOOP;
    EXECUTE format('GRANT USAGE ON SCHEMA %I TO nightbake_bot, nightbake_index, nightbake_night, nightbake_console',
                   current_schema());
END
$$;
GRANT SELECT ON migrations TO nightbake_bot, nightbake_index, nightbake_night, nightbake_console;

-- Who asks: set in the transaction that reads, and gone with it. Not set, or nobody: nothing may be read.
CREATE FUNCTION current_principals() RETURNS text[]
    LANGUAGE sql STABLE PARALLEL SAFE
    AS $$
        SELECT coalesce(nullif(current_setting('nightbake.principals', true), ''), '{}')::text[]
    $$;

-- Not forced upon the owner, who migrates and dumps, and answers nobody.
ALTER TABLE documents ENABLE ROW LEVEL SECURITY;
ALTER TABLE document_texts ENABLE ROW LEVEL SECURITY;
ALTER TABLE chunks ENABLE ROW LEVEL SECURITY;
ALTER TABLE memories ENABLE ROW LEVEL SECURITY;

-- The one rule once more, beneath every statement: a document that is removed has no audience.
CREATE POLICY readable ON documents FOR SELECT TO nightbake_bot
    USING (audience_id IN (SELECT id FROM visible_audiences(current_principals()) AS id));
CREATE POLICY readable ON document_texts FOR SELECT TO nightbake_bot
    USING (EXISTS (SELECT FROM documents WHERE documents.id = document_id));
CREATE POLICY readable ON chunks FOR SELECT TO nightbake_bot
    USING (EXISTS (SELECT FROM documents WHERE documents.id = document_id));
-- Whose documents may all be read; one that stands on none may be read by nobody.
CREATE POLICY readable ON memories FOR SELECT TO nightbake_bot
    USING (EXISTS (SELECT FROM memory_documents AS shown WHERE shown.interaction_id = memories.interaction_id)
           AND NOT EXISTS (SELECT FROM memory_documents AS shown
                           WHERE shown.interaction_id = memories.interaction_id
                             AND NOT EXISTS (SELECT FROM documents WHERE documents.id = shown.document_id)));

-- The others work on everything, for nobody in particular: their grants say on what.
CREATE POLICY everything ON documents TO nightbake_index, nightbake_night, nightbake_console USING (true);
CREATE POLICY everything ON document_texts TO nightbake_index, nightbake_night USING (true);
CREATE POLICY everything ON chunks TO nightbake_index, nightbake_night, nightbake_console USING (true);
CREATE POLICY everything ON memories TO nightbake_index, nightbake_night, nightbake_console USING (true);

-- What a memory is found by, for all of them at once; its words come from the table, behind the policy.
CREATE VIEW memory_questions AS
    SELECT interaction_id, language, removed_at, terms, model_id, vector FROM memories;

-- Names of sources, for who sets what a room searches; no name of a document.
CREATE VIEW document_sources AS SELECT DISTINCT source FROM documents WHERE removed_at IS NULL;

-- Those of the memories that are there, kept from being forgotten until the transaction ends. By the owner, for whoever logs
-- an answer logs it for a person whose rights are not at hand any more.
CREATE FUNCTION hold_memories(ids bigint[]) RETURNS SETOF bigint
    LANGUAGE sql SECURITY DEFINER SET search_path FROM CURRENT
    AS $$
        SELECT interaction_id FROM memories WHERE interaction_id = ANY(ids) ORDER BY interaction_id FOR KEY SHARE
    $$;
REVOKE EXECUTE ON FUNCTION hold_memories(bigint[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION hold_memories(bigint[]) TO nightbake_bot;

-- bot: takes questions and votes, answers, and keeps what platforms say of people and rooms.
GRANT SELECT ON documents, document_texts, chunks, memories, memory_documents, memory_states, memory_questions,
    document_sources, audiences, adapters, adapter_states, adapter_audiences, served, serving, model_rests,
    current_feedback, trainable_feedback, feedback_fates, run_pairs, run_singles, forget_receipts TO nightbake_bot;
GRANT SELECT (id, feedback_ids) ON pairs TO nightbake_bot;
GRANT SELECT (id, night, state, adapter, audience, kind, is_rehearsal, started_at, finished_at) ON runs TO nightbake_bot;
GRANT SELECT, INSERT, UPDATE ON interactions, inbox, expert_requests, expert_replies, told_votes, room_settings,
    training_consents, people, rooms, directory_lists, slack_organisation_teams TO nightbake_bot;
GRANT SELECT, INSERT, UPDATE, DELETE ON memberships, directory_groups, room_members, slack_installations TO nightbake_bot;
GRANT SELECT, INSERT ON feedback, gaps, signals, reply_parts TO nightbake_bot;
GRANT INSERT ON audit, untaught_votes, unremembered_votes TO nightbake_bot;
-- Answers are numbered before they are stored.
GRANT USAGE ON SEQUENCE interactions_id_seq TO nightbake_bot;

-- index: reads sources and documents into the index, and the index into memory: numbers and words, no passage.
GRANT SELECT, INSERT, UPDATE, DELETE ON documents, document_texts, chunks, embeddings, embedding_models,
    active_embedding_model, audiences, audience_blocks, gone_chunks, index_version, packed_postings, fresh_postings, terms,
    sources, source_entries, withdrawals, ingest_errors, fusion_calibrations, examples, taught_terms, taught_blocks,
    learned_ranks TO nightbake_index;
GRANT SELECT ON interactions, judged_queries, people, current_feedback, trainable_feedback TO nightbake_index;
GRANT SELECT, DELETE ON untaught_votes TO nightbake_index;
-- With a document its exercises go.
GRANT SELECT (id), DELETE ON exercises TO nightbake_index;
GRANT SELECT, UPDATE ON memories TO nightbake_index;
GRANT INSERT ON audit TO nightbake_index;

-- night: reads the log, the votes and what was shown; writes what it learns. It changes no document and no vote.
GRANT SELECT ON documents, document_texts, chunks, audiences, adapter_states, current_exercises, current_feedback, feedback,
    answer_labels, exercise_reviews, golden_questions, golden_reviews, interactions, memberships, directory_groups,
    memory_states, pair_reviews, people, room_settings, served, serving, signals, trainable_feedback,
    trainable_interactions, training_consents, reviewed_golden_questions, voter_key, gaps TO nightbake_night;
GRANT SELECT, INSERT, UPDATE, DELETE ON runs, run_pairs, run_singles, pairs, feedback_fates, question_sides, regenerated,
    reports, judged_queries, adapters, adapter_audiences, switches, model_rests, rebuilds, memories, memory_documents,
    night_pauses, exercises, exercise_documents, exercise_drafts, exercise_makes, exercise_samples, pinned_exams,
    pinned_items, exams, exam_runs, advice_rounds, diagnoses, experiments, document_checks TO nightbake_night;
GRANT SELECT, DELETE ON unremembered_votes TO nightbake_night;
GRANT INSERT ON audit, untaught_votes TO nightbake_night;

-- console: what administrators see and decide, and forgetting, which goes through the whole log.
GRANT SELECT ON documents, audiences, ingest_errors, sources, index_version, model_rests, adapter_states,
    adapter_audiences, served, serving, memory_documents, memory_states, people, current_exercises, current_feedback,
    trainable_feedback, exercise_documents, reviewed_golden_questions, voter_key, training_consents TO nightbake_console;
GRANT SELECT, INSERT, UPDATE, DELETE ON interactions, inbox, feedback, feedback_fates, reply_parts, expert_requests,
    expert_replies, signals, gaps, judged_queries, question_sides, pairs, pair_reviews, run_pairs, run_singles, runs,
    reports, memories, diagnoses, adapters, switches, night_pauses, rebuilds, answer_labels, golden_questions,
    golden_reviews, exams, exam_runs, pinned_exams, exercises, exercise_reviews, advice_rounds, experiments,
    document_checks, admin_messages, alerts, forget_receipts TO nightbake_console;
GRANT INSERT ON audit, untaught_votes, unremembered_votes TO nightbake_console;
-- Forgetting unlearns what votes taught the search.
GRANT SELECT (id, length) ON chunks TO nightbake_console;
GRANT SELECT, INSERT, UPDATE, DELETE ON examples, taught_terms, taught_blocks TO nightbake_console;

-- Everyone's adapter may have learnt what every employee may read: where somebody else reads along, the base model answers.
CREATE OR REPLACE FUNCTION choose_adapter(principals text[], conversation_key text) RETURNS text
    LANGUAGE sql STABLE
    AS $$
        SELECT coalesce(
            (SELECT served.name
             FROM adapter_audiences JOIN served ON served.audience = adapter_audiences.principal
             WHERE adapter_audiences.principal = ANY(principals) AND served.name IS NOT NULL
             ORDER BY adapter_audiences.name LIMIT 1),
            (SELECT CASE WHEN abs(hashtextextended(conversation_key, trial_id) % 100000) < trial_share * 100000 THEN trial
                         ELSE name END
             FROM serving WHERE 'everyone' = ANY(principals)))
    $$;
