-- Sessions of the dashboard, one row for each signed-in browser. Only the SHA-256 (hex) of a session's id is kept; a session ends
-- when its row is deleted.
CREATE TABLE sessions (
    hash        TEXT     NOT NULL,
    key_id      TEXT     NOT NULL,
    expires_at  BIGINT   NOT NULL,
    PRIMARY KEY (hash)
) /*sqlite WITHOUT ROWID */;
CREATE INDEX sessions_key ON sessions (key_id, expires_at);

-- When an API key was last used, to within a minute or so; null for a key that was not used since this column is there.
ALTER TABLE api_keys ADD COLUMN last_used_at BIGINT;
