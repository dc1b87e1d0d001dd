-- name: acquire_lease
-- Takes or prolongs a lease that nobody else holds; returns the holder, or nothing.
INSERT INTO leases (name, holder, expires_at) VALUES (:name, :holder, :expires_at)
ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, expires_at = excluded.expires_at
WHERE leases.expires_at <= :now OR leases.holder = excluded.holder
RETURNING holder;

-- name: release_lease
-- Gives a lease back.
DELETE FROM leases WHERE name = :name AND holder = :holder;
