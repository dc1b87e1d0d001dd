-- name: guards_after
-- Returns the key of the guard that is a given number of rows after a key.
SELECT site_id, kind, guard_key FROM guards WHERE (site_id, kind, guard_key) > (:site_id, :kind, :guard_key)
ORDER BY site_id, kind, guard_key LIMIT 1 OFFSET :window;

-- name: delete_guards
-- Deletes the expired guards between two keys.
DELETE FROM guards
WHERE (site_id, kind, guard_key) > (:site_id, :kind, :guard_key)
  AND (site_id, kind, guard_key) <= (:end_site, :end_kind, :end_key) AND expires_at < :now;
