-- name: lock_keys
-- Locks the keys until the end of the transaction, so that no process starts while the key that signs changes.
INSERT INTO key_processes (process, fingerprints, expires_at) VALUES ('', '', 0)
ON CONFLICT (process) DO UPDATE SET expires_at = 0;

-- name: known_keys
-- Returns the fingerprints of the keys that this database is used with; the last one signs, those that only wait come first.
SELECT fingerprint, rotation FROM key_fingerprints ORDER BY coalesce(rotation, 0), fingerprint /*postgres COLLATE "C" */;

-- name: insert_keys
-- Inserts fingerprints; those of keys that are accepted only have no rotation.
INSERT INTO key_fingerprints (fingerprint, rotation) SELECT * FROM rows(fingerprint text, rotation integer);

-- name: delete_key
-- Forgets a fingerprint.
DELETE FROM key_fingerprints WHERE fingerprint = :fingerprint;

-- name: sign_with_key
-- Makes a key the one that signs.
UPDATE key_fingerprints SET rotation = :rotation WHERE fingerprint = :fingerprint;

-- name: set_key_process
-- Says which keys a running process accepts.
INSERT INTO key_processes (process, fingerprints, expires_at) VALUES (:process, :fingerprints, :expires_at)
ON CONFLICT (process) DO UPDATE SET fingerprints = excluded.fingerprints, expires_at = excluded.expires_at;

-- name: delete_key_process
-- Takes a process out that ended.
DELETE FROM key_processes WHERE process = :process;

-- name: delete_expired_key_processes
-- Takes out the processes that were killed.
DELETE FROM key_processes WHERE process <> '' AND expires_at <= :now;

-- name: key_processes
-- Returns the keys that each running process accepts. One of a version before these tables holds a writer's slot, and
-- says nothing of its keys.
SELECT process, fingerprints FROM key_processes WHERE expires_at > :now
UNION ALL
SELECT DISTINCT holder, '' FROM leases
WHERE name LIKE 'slot %' AND expires_at > :now
    AND holder NOT IN (SELECT process FROM key_processes WHERE expires_at > :now);
