-- name: schema_version
-- Returns the newest migration that was run (PostgreSQL; SQLite keeps it in the file's header).
SELECT version FROM versions WHERE name = 'schema';
