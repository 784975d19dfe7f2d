-- jsonb_typeof is there for the planner: it expects 100 rows of a JSON array, one with the condition. For 100 it joins by
-- reading the whole table, for one by the index; and a plan made while the table was small lives as long as its connection.

-- name: begin
WITH given AS (
    SELECT ordinality, row.*
    FROM jsonb_array_elements(%(rows)s::jsonb) WITH ORDINALITY AS element(value, ordinality),
         jsonb_to_record(value) AS row(inbox_id bigint, platform text, conversation_key text, asker text,
                                       principals text[], question text, language text, again_of bigint)
    WHERE jsonb_typeof(element.value) = 'object'
), numbered AS (
    SELECT given.*, existing.id IS NULL AS is_new, existing.finished_at IS NOT NULL AS is_finished,
           coalesce(existing.id, nextval(pg_get_serial_sequence('interactions', 'id'))) AS id,
           CASE WHEN existing.id IS NULL THEN choose_adapter(given.principals, given.conversation_key)
                ELSE existing.adapter END AS adapter
    FROM given LEFT JOIN interactions AS existing ON existing.inbox_id = given.inbox_id
), stored AS (
    INSERT INTO interactions (id, inbox_id, platform, conversation_key, asker, principals, question, language, adapter,
                              again_of)
    OVERRIDING SYSTEM VALUE
    SELECT id, inbox_id, platform, conversation_key, asker, principals, question, language, adapter,
           (SELECT first.id FROM interactions AS first WHERE first.id = numbered.again_of)
    FROM numbered WHERE is_new
)
SELECT id, adapter, is_finished FROM numbered ORDER BY ordinality

-- name: finish
WITH given AS (
    SELECT row.*
    FROM jsonb_array_elements(%(rows)s::jsonb) AS element(value), jsonb_to_record(value) AS row(
        interaction_id bigint, answer text, mode text, mode_reason text, standalone_question text, search_notice text, model text,
        adapter text, messages jsonb, sampling jsonb, example_ids bigint[], example_tokens integer, spared_tokens integer,
        passages jsonb, generated text, citations integer[],
        prompt_tokens integer, completion_tokens integer, first_token_seconds real, answer_seconds real)
    WHERE jsonb_typeof(element.value) = 'object'
), remembered AS MATERIALIZED (
    -- Locked: whose words are being forgotten meanwhile are waited for, and then left out of the prompt.
    SELECT interaction_id
    FROM hold_memories(ARRAY(SELECT unnest(example_ids) FROM given)) AS held(interaction_id)
)
UPDATE interactions SET
    answer = given.answer, mode = given.mode, mode_reason = given.mode_reason,
    standalone_question = given.standalone_question,
    search_notice = given.search_notice, model = given.model, adapter = given.adapter,
    messages = CASE WHEN is_whole THEN given.messages
                    ELSE leave_out_examples(given.messages, cardinality(given.example_ids)) END,
    example_ids = CASE WHEN is_whole THEN given.example_ids ELSE '{}' END,
    example_tokens = given.example_tokens, spared_tokens = given.spared_tokens,
    sampling = given.sampling, passages = given.passages, generated = given.generated,
    citations = given.citations, prompt_tokens = given.prompt_tokens, completion_tokens = given.completion_tokens,
    first_token_seconds = given.first_token_seconds, answer_seconds = given.answer_seconds,
    finished_at = clock_timestamp()
FROM given
CROSS JOIN LATERAL (
    SELECT given.example_ids <@ ARRAY(SELECT remembered.interaction_id FROM remembered) AS is_whole
) AS looked
WHERE interactions.id = given.interaction_id
RETURNING interactions.id

-- name: set_reply_key
UPDATE interactions SET reply_key = %(reply_key)s WHERE id = %(id)s

-- name: keep_reply_key
UPDATE interactions SET reply_key = coalesce(reply_key, %(reply_key)s) WHERE id = %(id)s RETURNING reply_key

-- name: get
SELECT id, inbox_id, platform, conversation_key, asker, principals, question, language, adapter, began_at, reply_key,
       standalone_question, search_notice, model, messages, passages, generated, answer, mode, mode_reason, citations,
       prompt_tokens, completion_tokens, first_token_seconds, answer_seconds, finished_at
FROM interactions WHERE id = %(id)s

-- name: find_by_reply
SELECT id, inbox_id, platform, conversation_key, asker, principals, question, language, adapter, began_at, reply_key,
       standalone_question, search_notice, model, messages, passages, generated, answer, mode, mode_reason, citations,
       prompt_tokens, completion_tokens, first_token_seconds, answer_seconds, finished_at
FROM interactions
WHERE id IN (SELECT id FROM interactions WHERE platform = %(platform)s AND reply_key = %(reply_key)s
             UNION ALL
             SELECT interaction_id FROM reply_parts WHERE platform = %(platform)s AND reply_key = %(reply_key)s)
ORDER BY id DESC
LIMIT 1

-- name: add_reply_part
INSERT INTO reply_parts (platform, reply_key, interaction_id)
SELECT platform, %(reply_key)s, id FROM interactions WHERE id = %(id)s
ON CONFLICT (platform, reply_key) DO NOTHING

-- name: find_reply_parts
SELECT reply_key FROM reply_parts WHERE interaction_id = %(id)s ORDER BY reply_key

-- name: find_by_inbox
SELECT id, inbox_id, platform, conversation_key, asker, principals, question, language, adapter, began_at, reply_key,
       standalone_question, search_notice, model, messages, passages, generated, answer, mode, mode_reason, citations,
       prompt_tokens, completion_tokens, first_token_seconds, answer_seconds, finished_at
FROM interactions WHERE inbox_id = %(inbox_id)s

-- name: find_turns
SELECT question, coalesce(standalone_question, question) AS standalone_question, answer
FROM interactions
WHERE conversation_key = %(conversation_key)s AND id < %(before_id)s AND finished_at IS NOT NULL AND mode <> 'failed'
ORDER BY id DESC
LIMIT %(limit)s

-- name: exist
SELECT 1 AS one FROM interactions LIMIT 1
