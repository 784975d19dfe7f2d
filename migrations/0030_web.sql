-- Who is signed in on the web, who is about to, and links that open the console once.

CREATE TABLE web_sessions (
    token_hash    bytea PRIMARY KEY,
    origin        text NOT NULL,
    person        text,
    name          text NOT NULL DEFAULT '',
    role          text NOT NULL CHECK (role IN ('reader', 'reviewer', 'admin')),
    refresh_token bytea,
    began_at      timestamptz NOT NULL DEFAULT now(),
    seen_at       timestamptz NOT NULL DEFAULT now(),
    checked_at    timestamptz NOT NULL DEFAULT now(),
    checking_at   timestamptz
);
COMMENT ON COLUMN web_sessions.token_hash IS 'SHA-256 of what the cookie holds; the cookie''s own value is nowhere';
COMMENT ON COLUMN web_sessions.origin IS 'what opened it: link, token:HASH of ADMIN_TOKEN, or oidc:ISSUER';
COMMENT ON COLUMN web_sessions.person IS 'who signed in; NULL: whoever held the link or the token';
COMMENT ON COLUMN web_sessions.refresh_token IS 'sealed by a key that is made from OIDC_CLIENT_SECRET';
COMMENT ON COLUMN web_sessions.checked_at IS 'when the sign-in service last vouched for person and groups';
COMMENT ON COLUMN web_sessions.checking_at IS 'when a process began to ask it again, so that only one does';
CREATE INDEX web_sessions_person ON web_sessions (person) WHERE person IS NOT NULL;

-- A sign-in under way: taken out by the browser that began it, once.
CREATE TABLE web_sign_ins (
    state_hash   bytea PRIMARY KEY,
    browser_hash bytea NOT NULL,
    nonce        text NOT NULL,
    verifier     text NOT NULL,
    next_path    text NOT NULL,
    expires_at   timestamptz NOT NULL
);

CREATE TABLE web_links (
    token_hash bytea PRIMARY KEY,
    role       text NOT NULL CHECK (role IN ('reviewer', 'admin')),
    expires_at timestamptz NOT NULL
);

CREATE INDEX audit_actor ON audit (actor, id DESC);

-- Who answers people begins sign-ins; who holds the console's rights opens and ends sessions.
GRANT SELECT, INSERT, DELETE ON web_sign_ins TO nightbake_bot;
GRANT SELECT, INSERT, UPDATE, DELETE ON web_sessions, web_links TO nightbake_console;
GRANT SELECT ON audit TO nightbake_console;
