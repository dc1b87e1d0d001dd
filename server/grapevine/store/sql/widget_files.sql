-- name: widget_file_names
-- Returns the names of all files that are kept.
SELECT name FROM widget_files;

-- name: widget_file
-- Returns a file: its text, and in base64 what brotli made of it.
SELECT body, brotli FROM widget_files WHERE name = :name;

-- name: insert_widget_files
-- Keeps files. Those that another process kept meanwhile are the same.
INSERT INTO widget_files (name, body, brotli, served_at)
SELECT * FROM rows(name text, body text, brotli text, served_at bigint)
WHERE true
ON CONFLICT (name) DO NOTHING;

-- name: refresh_widget_files
-- Says that a server still has these files, once a day.
UPDATE widget_files SET served_at = :at
WHERE served_at < :before AND name IN (SELECT name FROM rows(name text));

-- name: widget_files_by_time
-- Returns how many files were served last at each time, the newest first.
SELECT served_at, count(*) FROM widget_files GROUP BY served_at ORDER BY served_at DESC;

-- name: delete_widget_files
-- Deletes files that no server has had for a long time.
DELETE FROM widget_files WHERE served_at < :before;
