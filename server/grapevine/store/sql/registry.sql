-- name: sites_version
-- The number that rises with every change of sites or origins.
SELECT version FROM versions WHERE name = 'sites';

-- name: touch_versions
-- Makes every process read the sites again.
UPDATE versions SET version = version + 1 WHERE name = 'sites';

-- name: all_sites
-- Every site, oldest first.
SELECT site_id, key, name, salt, param, place, query, created_at, element FROM sites ORDER BY site_id;

-- name: all_origins
-- The origins of every site in the order they were named in.
SELECT site_id, origin FROM origins ORDER BY site_id, position;

-- name: insert_site
-- Adds a site.
INSERT INTO sites (site_id, key, name, salt, param, place, query, created_at, element)
VALUES (:site_id, :key, :name, :salt, :param, :place, :query, :created_at, :element);

-- name: update_site
-- Changes what a site's owner may change.
UPDATE sites SET name = :name, param = :param, place = :place, query = :query, element = :element
WHERE site_id = :site_id;

-- name: delete_origins
-- Takes away a site's origins, before they are named anew.
DELETE FROM origins WHERE site_id = :site_id;

-- name: insert_origins
-- Names a site's origins.
INSERT INTO origins (site_id, origin, position)
SELECT site_id, origin, position FROM rows(site_id bigint, origin text, position smallint);

-- name: insert_key
-- Adds an API key; only the hash of its secret is kept.
INSERT INTO api_keys (key_id, site_id, name, scope, hash, created_at)
VALUES (:key_id, :site_id, :name, :scope, :hash, :created_at);

-- name: key_by_hash
-- The key in force whose secret has this hash.
SELECT key_id, site_id, name, scope, created_at, revoked_at FROM api_keys WHERE hash = :hash AND revoked_at IS NULL;

-- name: key_by_id
-- The key in force with this id.
SELECT key_id, site_id, name, scope, created_at, revoked_at FROM api_keys WHERE key_id = :key_id AND revoked_at IS NULL;

-- name: keys_of_site
-- All keys made for a site, oldest first.
SELECT key_id, site_id, name, scope, created_at, revoked_at FROM api_keys WHERE site_id = :site_id
ORDER BY created_at, key_id /*postgres COLLATE "C" */;

-- name: revoke_key
-- Takes a key out of force.
UPDATE api_keys SET revoked_at = :at WHERE key_id = :key_id AND revoked_at IS NULL RETURNING key_id;

-- name: insert_salt
-- Makes a salt unless it is there already.
INSERT INTO salts (kind, day, value) VALUES (:kind, :day, :value) ON CONFLICT DO NOTHING;

-- name: salt
-- One salt.
SELECT value FROM salts WHERE kind = :kind AND day = :day;

-- name: delete_salts
-- Destroys the salts of past days.
DELETE FROM salts WHERE kind = :kind AND day < :before_day;

-- name: guards_after
-- The key of the guard that comes so many places after a key.
SELECT site_id, kind, guard_key FROM guards WHERE (site_id, kind, guard_key) > (:site_id, :kind, :guard_key)
ORDER BY site_id, kind, guard_key LIMIT 1 OFFSET :window;

-- name: delete_guards
-- Deletes the guards that have expired, of those between two keys.
DELETE FROM guards
WHERE (site_id, kind, guard_key) > (:site_id, :kind, :guard_key)
  AND (site_id, kind, guard_key) <= (:end_site, :end_kind, :end_key) AND expires_at < :now;

-- name: take_lease
-- Takes or prolongs a lease that nobody else holds; answers with the holder, or with nothing.
INSERT INTO leases (name, holder, expires_at) VALUES (:name, :holder, :expires_at)
ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, expires_at = excluded.expires_at
WHERE leases.expires_at <= :now OR leases.holder = excluded.holder
RETURNING holder;

-- name: give_lease
-- Gives a lease back.
DELETE FROM leases WHERE name = :name AND holder = :holder;

-- name: schema_version
-- The newest step of the schema that was taken (PostgreSQL; SQLite keeps it in the file's head).
SELECT version FROM versions WHERE name = 'schema';
