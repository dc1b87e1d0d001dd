-- name: guards_after
-- The key of the guard that comes so many places after a key.
SELECT site_id, kind, guard_key FROM guards WHERE (site_id, kind, guard_key) > (:site_id, :kind, :guard_key)
ORDER BY site_id, kind, guard_key LIMIT 1 OFFSET :window;

-- name: delete_guards
-- Deletes the guards that have expired, of those between two keys.
DELETE FROM guards
WHERE (site_id, kind, guard_key) > (:site_id, :kind, :guard_key)
  AND (site_id, kind, guard_key) <= (:end_site, :end_kind, :end_key) AND expires_at < :now;
