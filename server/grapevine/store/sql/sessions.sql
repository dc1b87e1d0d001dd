-- name: insert_session
-- Inserts a session of the dashboard; only the hash of its id is stored.
INSERT INTO sessions (hash, key_id, expires_at) VALUES (:hash, :key_id, :expires_at);

-- name: session_key
-- Returns the id of the API key of a session that has not ended.
SELECT key_id FROM sessions WHERE hash = :hash AND expires_at > :now;

-- name: end_session
-- Ends one session.
DELETE FROM sessions WHERE hash = :hash;

-- name: end_sessions_of_key
-- Ends all sessions of an API key.
DELETE FROM sessions WHERE key_id = :key_id;

-- name: end_surplus_sessions
-- Ends the sessions of an API key beyond its newest ones.
DELETE FROM sessions WHERE key_id = :key_id AND hash NOT IN (
    SELECT hash FROM sessions WHERE key_id = :key_id ORDER BY expires_at DESC, hash /*postgres COLLATE "C" */ LIMIT :most
);

-- name: forget_sessions
-- Deletes sessions that have expired.
DELETE FROM sessions WHERE expires_at <= :now;
