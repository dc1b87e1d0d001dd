-- name: kept_answer
-- Returns the answer to a request with an idempotency key.
SELECT key_id, hash, site_id, request, status, answer, created_at FROM kept_answers
WHERE key_id = :key_id AND hash = :hash AND created_at > :since;

-- name: amount_of_kept_answers
-- Returns how many answers are kept for an API key, and the time of the oldest.
SELECT count(*), min(created_at) FROM kept_answers WHERE key_id = :key_id;

-- name: forget_kept_answer
-- Deletes the answer to one request, if it is too old to be repeated.
DELETE FROM kept_answers WHERE key_id = :key_id AND hash = :hash AND created_at <= :since;

-- name: insert_kept_answer
-- Keeps an answer; returns a row unless one is kept for the same idempotency key.
INSERT INTO kept_answers (key_id, hash, site_id, request, status, answer, created_at)
VALUES (:key_id, :hash, :site_id, :request, :status, :answer, :created_at)
ON CONFLICT (key_id, hash) DO NOTHING RETURNING key_id;

-- name: forget_kept_answers
-- Deletes the answers that are too old to be repeated.
DELETE FROM kept_answers WHERE created_at <= :since;
