-- name: read_versions
-- Returns the numbers by which processes know that another one changed something that they remember.
SELECT name, version FROM versions WHERE name IN ('erasures', 'live', 'webhooks');

-- name: watch_site
-- Prolongs the watch of a site, or begins it; returns since when it is watched without a break.
INSERT INTO live_watches AS w (site_id, started_at, expires_at) VALUES (:site_id, :now, :expires_at)
ON CONFLICT (site_id) DO UPDATE SET
    started_at = CASE WHEN w.expires_at < :now THEN :now ELSE w.started_at END,
    expires_at = CASE WHEN w.expires_at < :expires_at THEN :expires_at ELSE w.expires_at END
RETURNING started_at;

-- name: touch_watches
-- Makes all processes read which sites are watched; returns the new version.
UPDATE versions SET version = version + 1 WHERE name = 'live' RETURNING version;

-- name: live_watches
-- Returns the watched sites, and until when.
SELECT site_id, expires_at FROM live_watches WHERE expires_at > :now;

-- name: put_live_lanes
-- Says which watches the process of some lanes knows.
INSERT INTO live_lanes (lane, process, version, expires_at)
SELECT * FROM rows(lane bigint, process text, version bigint, expires_at bigint)
WHERE true
ON CONFLICT (lane) DO UPDATE SET version = excluded.version, expires_at = excluded.expires_at;

-- name: processes_behind
-- Returns the processes that hold a writer's slot and do not know the watches of a version yet.
SELECT DISTINCT holder FROM leases
WHERE name LIKE 'slot %' AND expires_at > :now
  AND holder NOT IN (SELECT process FROM live_lanes WHERE version >= :version AND expires_at > :now);

-- name: live_lane_ends
-- Returns the number of the last announcement of a site in each lane, where there is any.
SELECT l.lane, (SELECT max(b.number) FROM live_batches b WHERE b.site_id = :site_id AND b.lane = l.lane) AS last_number
FROM live_lanes l;

-- name: live_batches_after
-- Returns the first announcements of a site in a lane behind a number.
SELECT lane, number, events FROM live_batches
WHERE site_id = :site_id AND lane = :lane AND number > :after ORDER BY number LIMIT :limit;

-- name: live_conversions
-- Returns those of these conversions that are stored.
SELECT {{conversion_columns}}
FROM rows(site_id bigint, visit_id bigint, cell smallint, event_key bigint)
/*sqlite CROSS */ JOIN conversions c ON c.site_id = rows.site_id AND c.visit_id = rows.visit_id AND c.cell = rows.cell
  AND c.event_key = rows.event_key;

-- name: insert_live_batches
-- Inserts announcements.
INSERT INTO live_batches (site_id, lane, number, events)
SELECT * FROM rows(site_id bigint, lane bigint, number bigint, events text);

-- name: delete_live_batches
-- Deletes old announcements of a lane.
DELETE FROM live_batches WHERE site_id = :site_id AND lane = :lane AND number < :before;

-- name: delete_old_live_batches
-- Deletes old announcements, whose processes may be gone.
DELETE FROM live_batches WHERE number < :before;

-- name: delete_old_live_lanes
-- Deletes the lanes of processes that are gone.
DELETE FROM live_lanes WHERE expires_at < :before;

-- name: delete_old_live_watches
-- Deletes watches that ended.
DELETE FROM live_watches WHERE expires_at < :before;
