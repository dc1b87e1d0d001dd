-- name: insert_salt
-- Makes a salt unless it is there already.
INSERT INTO salts (kind, day, value) VALUES (:kind, :day, :value) ON CONFLICT DO NOTHING;

-- name: salt
-- One salt.
SELECT value FROM salts WHERE kind = :kind AND day = :day;

-- name: delete_salts
-- Destroys the salts of past days.
DELETE FROM salts WHERE kind = :kind AND day < :before_day;
