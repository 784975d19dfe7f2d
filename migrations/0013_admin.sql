-- What admins are told and what they decide: pauses of the nights, alerts, and the messages that carry them.

-- Whether nights may run by themselves. Append-only: the last row counts.
CREATE TABLE night_pauses (
    id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    paused    boolean NOT NULL,
    set_by    text NOT NULL,
    event_key text UNIQUE,
    set_at    timestamptz NOT NULL DEFAULT now()
);

-- Something that needs an admin, once until it clears.
CREATE TABLE alerts (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind       text NOT NULL CHECK (kind ~ '^[a-z_]+$'),
    subject    text NOT NULL DEFAULT '',
    facts      jsonb NOT NULL DEFAULT '{}',
    raised_at  timestamptz NOT NULL DEFAULT now(),
    seen_at    timestamptz NOT NULL DEFAULT now(),
    cleared_at timestamptz
);
COMMENT ON COLUMN alerts.subject IS 'which of several things of that kind; empty where there is one';
COMMENT ON COLUMN alerts.seen_at IS 'when a process last found it so';
CREATE UNIQUE INDEX alerts_open ON alerts (kind, subject) WHERE cleared_at IS NULL;

-- Messages to admins, once a topic: `report:7`, `alert:3`, `clear:3`. Claimed with a lease, then posted.
CREATE TABLE admin_messages (
    platform         text NOT NULL,
    topic            text NOT NULL,
    lease_expires_at timestamptz NOT NULL,
    attempts         integer NOT NULL DEFAULT 1,
    message_key      text,
    posted_at        timestamptz,
    PRIMARY KEY (platform, topic),
    CHECK ((message_key IS NULL) = (posted_at IS NULL))
);
COMMENT ON COLUMN admin_messages.message_key IS 'the platform''s id of the message, by which it is edited';
