-- name: acquire_lease
-- Acquires or renews a lease that no other process holds; returns the holder, or nothing.
INSERT INTO leases (name, holder, expires_at) VALUES (:name, :holder, :expires_at)
ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, expires_at = excluded.expires_at
WHERE leases.expires_at <= :now OR leases.holder = excluded.holder
RETURNING holder;

-- name: release_lease
-- Releases a lease.
DELETE FROM leases WHERE name = :name AND holder = :holder;

-- name: slot_holders
-- Returns the processes that hold writers' slots.
SELECT DISTINCT holder FROM leases WHERE name LIKE 'slot %' AND expires_at > :now;
