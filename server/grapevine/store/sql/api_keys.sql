-- fragment: key_columns
-- The columns of a key, in the order of the repository; a key made for several sites has a row for each of them.
k.key_id, k.site_id, k.name, k.scope, k.created_at, k.revoked_at, k.last_used_at, s.site_id

-- fragment: reaching_one
-- Whether a key was made for one site, alone or with others; 0 stands for every site. With OR, PostgreSQL reads all keys.
k.key_id IN (SELECT a.key_id FROM api_keys a WHERE a.site_id = :site_id
    UNION ALL SELECT n.key_id FROM key_sites n WHERE n.site_id = :site_id)

-- fragment: key_order
-- Oldest first.
k.created_at, k.key_id /*postgres COLLATE "C" */

-- name: insert_key
-- Inserts an API key; only the hash of its secret is stored.
INSERT INTO api_keys (key_id, site_id, name, scope, hash, created_at)
VALUES (:key_id, :site_id, :name, :scope, :hash, :created_at);

-- name: insert_key_sites
-- Inserts the sites that a key made for several reaches.
INSERT INTO key_sites (key_id, site_id) SELECT key_id, site_id FROM rows(key_id text, site_id bigint);

-- name: key_by_hash
-- Returns the valid key whose secret has this hash.
SELECT {{key_columns}} FROM api_keys k LEFT JOIN key_sites s ON s.key_id = k.key_id
WHERE k.hash = :hash AND k.revoked_at IS NULL ORDER BY s.site_id;

-- name: key_by_id
-- Returns the valid key with this id.
SELECT {{key_columns}} FROM api_keys k LEFT JOIN key_sites s ON s.key_id = k.key_id
WHERE k.key_id = :key_id AND k.revoked_at IS NULL ORDER BY s.site_id;

-- name: any_key_by_id
-- Returns the key with this id, also a revoked one.
SELECT {{key_columns}} FROM api_keys k LEFT JOIN key_sites s ON s.key_id = k.key_id
WHERE k.key_id = :key_id ORDER BY s.site_id;

-- name: keys_of_site
-- Returns all keys made for a site, alone or with others, oldest first.
SELECT {{key_columns}} FROM api_keys k LEFT JOIN key_sites s ON s.key_id = k.key_id
WHERE {{reaching_one}} ORDER BY {{key_order}}, s.site_id;

-- name: keys_after
-- Returns the next keys behind one, oldest first.
SELECT {{key_columns}} FROM (
    SELECT k.key_id, k.site_id, k.name, k.scope, k.created_at, k.revoked_at, k.last_used_at FROM api_keys k
    WHERE (k.created_at, k.key_id /*postgres COLLATE "C" */) > (:created_at, :key_id)
    ORDER BY {{key_order}} LIMIT :most
) AS k LEFT JOIN key_sites s ON s.key_id = k.key_id ORDER BY {{key_order}}, s.site_id;

-- name: keys_of_sites_after
-- Returns the next keys behind one that were made for one of the listed sites, alone or with others, oldest first; where it is
-- bounded, those made for none but the sites of the rows. OFFSET keeps PostgreSQL from going through all keys in their order.
SELECT {{key_columns}} FROM (
    SELECT k.key_id, k.site_id, k.name, k.scope, k.created_at, k.revoked_at, k.last_used_at FROM (
        SELECT k.key_id, k.site_id, k.name, k.scope, k.created_at, k.revoked_at, k.last_used_at FROM api_keys k
        WHERE k.key_id IN (
            SELECT a.key_id FROM api_keys a
            WHERE a.site_id IN (SELECT site_id FROM rows(site_id bigint, listed smallint) WHERE listed = 1)
            UNION ALL SELECT n.key_id FROM key_sites n
            WHERE n.site_id IN (SELECT site_id FROM rows(site_id bigint, listed smallint) WHERE listed = 1))
        AND (:bounded = 0 OR NOT EXISTS (
            SELECT 1 FROM key_sites o WHERE o.key_id = k.key_id
            AND o.site_id NOT IN (SELECT site_id FROM rows(site_id bigint, listed smallint))))
        /*postgres OFFSET 0 */
    ) AS k
    WHERE (k.created_at, k.key_id /*postgres COLLATE "C" */) > (:created_at, :key_id)
    ORDER BY {{key_order}} LIMIT :most
) AS k LEFT JOIN key_sites s ON s.key_id = k.key_id ORDER BY {{key_order}}, s.site_id;

-- name: lock_additions
-- Makes transactions that add keys, sites or webhook endpoints do so one after another; SQLite's transactions do so anyway.
/*postgres SELECT version FROM versions WHERE name = 'sites' FOR UPDATE */;

-- name: number_of_keys
-- Returns how many valid keys were made for a site, alone or with others.
SELECT count(*) FROM api_keys k WHERE k.revoked_at IS NULL AND {{reaching_one}};

-- name: surplus_revoked_keys
-- Returns the keys made for a site that were revoked before the last ones.
SELECT k.key_id FROM api_keys k WHERE k.revoked_at IS NOT NULL AND {{reaching_one}}
ORDER BY k.revoked_at DESC, k.key_id /*postgres COLLATE "C" */ LIMIT :limit OFFSET :kept;

-- name: delete_keys
-- Deletes keys.
DELETE FROM api_keys WHERE key_id IN (SELECT key_id FROM rows(key_id text));

-- name: delete_sites_of_keys
-- Deletes the sites of keys.
DELETE FROM key_sites WHERE key_id IN (SELECT key_id FROM rows(key_id text));

-- name: change_key
-- Changes the name or the scope of a valid key; null leaves each as it is.
UPDATE api_keys SET name = COALESCE(:name, name), scope = COALESCE(:scope, scope)
WHERE key_id = :key_id AND revoked_at IS NULL RETURNING key_id;

-- name: revoke_key
-- Revokes a key.
UPDATE api_keys SET revoked_at = :at WHERE key_id = :key_id AND revoked_at IS NULL RETURNING key_id;

-- name: use_key
-- Stores when a key was last used, unless another process has stored a later or nearly the same time.
UPDATE api_keys SET last_used_at = :at WHERE key_id = :key_id AND COALESCE(last_used_at, 0) + :every <= :at;
