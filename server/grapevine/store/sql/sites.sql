-- name: sites_version
-- Returns the number that rises with every change of sites or origins.
SELECT version FROM versions WHERE name = 'sites';

-- name: touch_versions
-- Raises the number that makes every process read the sites again.
UPDATE versions SET version = version + 1 WHERE name = 'sites';

-- name: sites_after
-- Returns the next sites behind one, oldest first, but those that are being deleted.
SELECT site_id, key, name, salt, param, place, query, created_at, element, cells, counted_values, contact,
    keep, fragment, old_build_day, webmention
FROM sites
WHERE site_id > :site_id AND site_id NOT IN (SELECT site_id FROM deleted_sites) ORDER BY site_id LIMIT :most;

-- name: highest_site_number
-- Returns the highest number that a site has or had.
SELECT max(site_id) FROM (SELECT site_id FROM sites UNION ALL SELECT site_id FROM deleted_sites) AS numbers;

-- name: number_of_sites
-- Returns how many sites there are.
SELECT count(*) FROM sites;

-- name: origins_of
-- Returns the origins of the sites between two in their given order.
SELECT site_id, origin FROM origins WHERE site_id > :after AND site_id <= :last ORDER BY site_id, position;

-- name: insert_site
-- Inserts a site.
INSERT INTO sites (site_id, key, name, salt, param, place, query, created_at, element, cells, counted_values,
    contact, keep, fragment, old_build_day, webmention)
VALUES (:site_id, :key, :name, :salt, :param, :place, :query, :created_at, :element, :cells, :counted_values,
    :contact, :keep, :fragment, :old_build_day, :webmention);

-- name: lock_site
-- Makes concurrent changes of a site follow one another; SQLite's transactions do so anyway.
/*postgres SELECT site_id FROM sites WHERE site_id = :site_id FOR UPDATE */;

-- name: update_site
-- Changes the columns that a site's owner may change.
UPDATE sites SET name = :name, param = :param, place = :place, query = :query, element = :element,
    counted_values = :counted_values, contact = :contact, keep = :keep,
    fragment = :fragment, webmention = :webmention
WHERE site_id = :site_id;

-- name: delete_origins
-- Deletes a site's origins, before new ones are inserted.
DELETE FROM origins WHERE site_id = :site_id;

-- name: insert_origins
-- Inserts a site's origins.
INSERT INTO origins (site_id, origin, position)
SELECT site_id, origin, position FROM rows(site_id bigint, origin text, position smallint);

-- name: saw_old_builds
-- Stores the day on which an older build of the widget was last seen on some sites; returns those whose day rises.
UPDATE sites SET old_build_day = :day
WHERE old_build_day < :day AND site_id IN (SELECT site_id FROM rows(site_id bigint))
RETURNING site_id;
