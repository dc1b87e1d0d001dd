-- name: insert_salt
-- Inserts a salt unless it exists already.
INSERT INTO salts (kind, day, value) VALUES (:kind, :day, :value) ON CONFLICT DO NOTHING;

-- name: salt
-- Returns one salt.
SELECT value FROM salts WHERE kind = :kind AND day = :day;

-- name: delete_salts
-- Deletes the salts of past days.
DELETE FROM salts WHERE kind = :kind AND day < :before_day;
