-- Workspaces that installed the Slack app by OAuth, each with its token. Written and read by bot/slack/installations.py.

CREATE TABLE slack_installations (
    place        text PRIMARY KEY CHECK (place ~ '^[TE][A-Z0-9]+$'),
    sealed       bytea NOT NULL,
    scopes       text[] NOT NULL,
    installed_by text NOT NULL,
    expires_at   timestamptz,
    installed_at timestamptz NOT NULL DEFAULT now(),
    refreshed_at timestamptz
);
COMMENT ON COLUMN slack_installations.place IS 'a workspace (T…), or an organisation of Enterprise Grid (E…)';
COMMENT ON COLUMN slack_installations.sealed IS 'bot token and refresh token, encrypted with SLACK_TOKEN_KEY';
COMMENT ON COLUMN slack_installations.expires_at IS 'of the bot token; null where tokens are not rotated';

-- Workspaces of an organisation, as far as Slack has told.
CREATE TABLE slack_organisation_teams (
    team  text PRIMARY KEY,
    place text NOT NULL REFERENCES slack_installations ON DELETE CASCADE
);
