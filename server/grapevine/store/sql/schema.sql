-- name: schema_version
-- The newest step of the schema that was taken (PostgreSQL; SQLite keeps it in the file's head).
SELECT version FROM versions WHERE name = 'schema';
