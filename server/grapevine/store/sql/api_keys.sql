-- name: insert_key
-- Inserts an API key; only the hash of its secret is stored.
INSERT INTO api_keys (key_id, site_id, name, scope, hash, created_at)
VALUES (:key_id, :site_id, :name, :scope, :hash, :created_at);

-- name: key_by_hash
-- Returns the valid key whose secret has this hash.
SELECT key_id, site_id, name, scope, created_at, revoked_at, last_used_at FROM api_keys WHERE hash = :hash AND revoked_at IS NULL;

-- name: key_by_id
-- Returns the valid key with this id.
SELECT key_id, site_id, name, scope, created_at, revoked_at, last_used_at FROM api_keys WHERE key_id = :key_id AND revoked_at IS NULL;

-- name: keys_of_site
-- Returns all keys of a site, oldest first.
SELECT key_id, site_id, name, scope, created_at, revoked_at, last_used_at FROM api_keys WHERE site_id = :site_id
ORDER BY created_at, key_id /*postgres COLLATE "C" */;

-- name: revoke_key
-- Revokes a key.
UPDATE api_keys SET revoked_at = :at WHERE key_id = :key_id AND revoked_at IS NULL RETURNING key_id;

-- name: use_key
-- Stores when a key was last used, unless another process has stored a later or nearly the same time.
UPDATE api_keys SET last_used_at = :at WHERE key_id = :key_id AND COALESCE(last_used_at, 0) + :every <= :at;
