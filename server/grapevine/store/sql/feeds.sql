-- name: feeds_of_site
-- Returns the feeds of a site, oldest first.
SELECT feed_id, site_id, url, name, created_at, checked_at, next_at, failures, error, etag, last_modified FROM feeds
WHERE site_id = :site_id ORDER BY created_at, feed_id /*postgres COLLATE "C" */;

-- name: feed
-- Returns one feed of a site.
SELECT feed_id, site_id, url, name, created_at, checked_at, next_at, failures, error, etag, last_modified FROM feeds
WHERE feed_id = :feed_id AND site_id = :site_id;

-- name: insert_feed
-- Inserts a feed that was never read.
INSERT INTO feeds (feed_id, site_id, url, name, created_at, next_at, failures)
VALUES (:feed_id, :site_id, :url, :name, :created_at, :next_at, 0);

-- name: rename_feed
-- Gives a feed another name.
UPDATE feeds SET name = :name WHERE feed_id = :feed_id AND site_id = :site_id RETURNING feed_id;

-- name: delete_feed
-- Deletes a feed; mentions that were found in it stay.
DELETE FROM feeds WHERE feed_id = :feed_id AND site_id = :site_id RETURNING feed_id;

-- name: due_feeds
-- Returns the feeds that are to be read, the longest due first.
SELECT feed_id, site_id, url, name, created_at, checked_at, next_at, failures, error, etag, last_modified FROM feeds
WHERE next_at <= :now ORDER BY next_at, feed_id /*postgres COLLATE "C" */ LIMIT :limit;

-- name: claim_feed
-- Claims a feed that is to be read, unless another process has; while it is claimed it is not due.
UPDATE feeds SET next_at = :until WHERE feed_id = :feed_id AND next_at = :seen RETURNING feed_id;

-- name: settle_feed
-- Records how a reading of a feed ended, and when the next one is due.
UPDATE feeds
SET checked_at = :checked_at, next_at = :next_at, failures = :failures, error = :error, etag = :etag,
    last_modified = :last_modified
WHERE feed_id = :feed_id RETURNING feed_id;

-- name: mentions_by_sources
-- Returns what is stored of some mentions.
SELECT m.page_id, m.mention_key, m.kind, m.title, m.author
FROM rows(page_id bigint, cell smallint, mention_key bigint)
/*sqlite CROSS */ JOIN mentions m ON m.site_id = :site_id AND m.page_id = rows.page_id AND m.cell = rows.cell
  AND m.mention_key = rows.mention_key;
