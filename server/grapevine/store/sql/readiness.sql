-- name: write_readiness
-- Writes the row that shows whether the store takes writes.
INSERT INTO readiness (name, filler) VALUES (:name, :filler)
ON CONFLICT (name) DO UPDATE SET filler = excluded.filler;

-- name: read_readiness
-- Returns what was written.
SELECT filler FROM readiness WHERE name = :name;
