-- Who people are, which rooms they share, what they and their rooms wish, and who sees what a whole room sees.

-- What a platform's directory says of a person.
CREATE TABLE people (
    person     text PRIMARY KEY,
    kind       text NOT NULL CHECK (kind IN ('member', 'guest', 'external', 'bot', 'gone')),
    is_admin   boolean NOT NULL DEFAULT false,
    email      text,
    locale     text,
    changed_at timestamptz NOT NULL,
    fetched_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON COLUMN people.kind IS 'member: an employee; guest: reads what is public; external: of another company; gone: no account any more';
COMMENT ON COLUMN people.is_admin IS 'of the platform''s workspace';
COMMENT ON COLUMN people.email IS 'lower case: one person on two platforms has one; nothing is granted by it';
COMMENT ON COLUMN people.changed_at IS 'by the platform''s clock: an older word does not replace a newer one';
CREATE INDEX people_email ON people (email) WHERE email IS NOT NULL;

-- Groups of a platform's directory. Apart from memberships, which an administrator sets and a directory never does.
CREATE TABLE directory_groups (
    principal text NOT NULL,
    person    text NOT NULL,
    workspace text NOT NULL,
    PRIMARY KEY (principal, person)
);
CREATE INDEX directory_groups_person ON directory_groups (person);

CREATE TABLE rooms (
    room       text PRIMARY KEY,
    kind       text NOT NULL CHECK (kind IN ('public', 'private')),
    is_shared  boolean NOT NULL,
    creator    text
);
COMMENT ON COLUMN rooms.room IS 'what the keys of its conversations begin with, before a colon: slack:TEAM:CHANNEL';
COMMENT ON COLUMN rooms.kind IS 'public: any employee may come in and read';
COMMENT ON COLUMN rooms.is_shared IS 'with people of another company';

CREATE TABLE room_members (
    room   text NOT NULL REFERENCES rooms ON DELETE CASCADE,
    person text NOT NULL,
    PRIMARY KEY (room, person)
);

-- How far a list of the directory can be trusted: the members of a room, or the groups of a workspace.
CREATE TABLE directory_lists (
    name       text PRIMARY KEY,
    version    bigint NOT NULL DEFAULT 0,
    fetched_at timestamptz
);
COMMENT ON COLUMN directory_lists.version IS 'counts changes that the platform told of: what was read before one is not kept';
COMMENT ON COLUMN directory_lists.fetched_at IS 'NULL: unknown, and must be read before anything is shown';

CREATE TABLE room_settings (
    room            text PRIMARY KEY,
    listens         text NOT NULL DEFAULT 'mentions' CHECK (listens IN ('mentions', 'questions')),
    sources         text[],
    language        text CHECK (language IN ('en', 'ko')),
    allows_training boolean NOT NULL DEFAULT true,
    set_by          text NOT NULL,
    set_at          timestamptz NOT NULL DEFAULT now()
);
COMMENT ON COLUMN room_settings.listens IS 'questions: also those that are addressed to nobody';
COMMENT ON COLUMN room_settings.sources IS 'whose documents are searched; NULL: all';

-- No row: nobody was asked, and the answer is yes.
CREATE TABLE training_consents (
    person          text PRIMARY KEY,
    allows_training boolean NOT NULL,
    set_at          timestamptz NOT NULL DEFAULT now()
);

-- Votes that may be learnt from: neither the voter nor the asker nor the room refuses, and the question as it was
-- understood holds no words of an earlier asker who does.
CREATE VIEW trainable_feedback AS
    SELECT feedback.*
    FROM feedback
    JOIN interactions ON interactions.id = feedback.interaction_id
    WHERE NOT EXISTS (SELECT FROM training_consents
                      WHERE NOT allows_training AND training_consents.person IN (feedback.person, asker))
      AND NOT EXISTS (SELECT FROM room_settings
                      WHERE NOT room_settings.allows_training AND starts_with(conversation_key, room || ':'))
      AND NOT EXISTS (SELECT FROM interactions AS earlier
                      JOIN training_consents ON training_consents.person = earlier.asker
                      WHERE NOT allows_training AND earlier.conversation_key = interactions.conversation_key
                        AND earlier.id < interactions.id
                        AND interactions.standalone_question IS DISTINCT FROM interactions.question);

-- That a person was erased, and which adapters were trained on what they said; who it was is not kept.
CREATE TABLE erasures (
    id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    counts    jsonb NOT NULL,
    adapters  text[] NOT NULL,
    erased_at timestamptz NOT NULL DEFAULT now()
);

-- The one rule of who may read what: named by allow, not named by deny; nobody and nothing unknown gets through.
-- A room's list holds more than names, for no one name is held by all its people: '!name' is held by some of them and
-- only denies, '!*' stands for people nobody knows, whom any deny may mean, 'audience:7' is a combination of allow and
-- deny that lets each of them through, and 'source:hr' leaves out the documents of other sources.
CREATE OR REPLACE FUNCTION visible_audiences(principals text[]) RETURNS SETOF integer
    LANGUAGE sql STABLE PARALLEL SAFE
    AS $$
        WITH names AS MATERIALIZED (
            SELECT ARRAY(SELECT name FROM unnest(principals) AS name WHERE name !~ '^(!|audience:|source:)')
                   || CASE WHEN 'everyone' = ANY(principals) THEN ARRAY['public'] ELSE '{}' END AS held,
                   ARRAY(SELECT ltrim(name, '!') FROM unnest(principals) AS name WHERE name LIKE '!%') AS denying
        )
        SELECT id
        FROM audiences, names
        WHERE (allow && held OR 'audience:' || id = ANY(principals))
          AND NOT deny && (held || denying)
          AND NOT ('!*' = ANY(principals) AND cardinality(deny) > 0)
    $$;
CREATE OR REPLACE FUNCTION visible_documents(principals text[]) RETURNS SETOF documents
    LANGUAGE sql STABLE PARALLEL SAFE
    AS $$
        SELECT * FROM documents
        WHERE removed_at IS NULL AND audience_id IN (SELECT visible_audiences(principals))
          AND ('source:' || source = ANY(principals)
               OR NOT EXISTS (SELECT FROM unnest(principals) AS name WHERE name LIKE 'source:%'))
    $$;
