-- name: insert_mention
-- Inserts a mention, unless it is stored already.
INSERT INTO mentions (
    site_id, page_id, cell, mention_key, kind, feed_id, source_url, title, author, published_at, at, gone_at
)
VALUES (
    :site_id, :page_id, :cell, :mention_key, :kind, :feed_id, :source_url, :title, :author, :published_at, :at, :gone_at
)
ON CONFLICT (site_id, page_id, cell, mention_key) DO NOTHING RETURNING mention_key;

-- name: refresh_mention
-- Stores what a source says now; it is there (again).
UPDATE mentions
SET title = :title, author = :author, published_at = COALESCE(:published_at, published_at), gone_at = NULL
WHERE site_id = :site_id AND page_id = :page_id AND cell = :cell AND mention_key = :mention_key
RETURNING mention_key;

-- name: end_mention
-- Notes that the source of a mention of a kind is gone, or does not link to the page any more; what it said of itself goes with it.
UPDATE mentions SET gone_at = :gone_at, title = NULL, author = NULL
WHERE site_id = :site_id AND page_id = :page_id AND cell = :cell AND mention_key = :mention_key AND kind = :kind
  AND gone_at IS NULL
RETURNING mention_key;

-- name: mention
-- Returns when a mention became known.
SELECT at FROM mentions
WHERE site_id = :site_id AND page_id = :page_id AND cell = :cell AND mention_key = :mention_key;

-- name: mentions_since
-- Counts the mentions of a kind that became known from a moment on, and those among them that a feed brought. How many may become
-- known in a day is bounded, and with it what this reads.
SELECT count(*), count(CASE WHEN feed_id = CAST(:feed_id AS TEXT) THEN 1 END) FROM mentions WHERE site_id = :site_id AND at >= :since AND kind = :kind;

-- name: mentions_of_site
-- Returns the mentions of a site that became known in a period, the newest first, from behind a position in this order; of a kind,
-- and those that are gone or not, if given.
SELECT site_id, page_id, cell, mention_key, kind, feed_id, source_url, title, author, published_at, at, gone_at
FROM mentions
WHERE site_id = :site_id AND at >= :start AND at < :end
  AND (CAST(:kind AS SMALLINT) IS NULL OR kind = :kind)
  AND (CAST(:gone AS SMALLINT) IS NULL OR CASE WHEN gone_at IS NULL THEN 0 ELSE 1 END = :gone)
  AND (at < :before OR (at = :before AND (page_id, mention_key) > (:after_page, :after_key)))
ORDER BY at DESC, page_id, mention_key LIMIT :limit;

-- name: mentions_of_page
-- As mentions_of_site, of one page.
SELECT site_id, page_id, cell, mention_key, kind, feed_id, source_url, title, author, published_at, at, gone_at
FROM mentions
WHERE site_id = :site_id AND page_id = :page_id AND cell = :cell AND at >= :start AND at < :end
  AND (CAST(:kind AS SMALLINT) IS NULL OR kind = :kind)
  AND (CAST(:gone AS SMALLINT) IS NULL OR CASE WHEN gone_at IS NULL THEN 0 ELSE 1 END = :gone)
  AND (at < :before OR (at = :before AND mention_key > :after_key))
ORDER BY at DESC, mention_key LIMIT :limit;

-- name: page_is_mentioned
-- Returns whether a page has a mention.
SELECT 1 FROM mentions WHERE site_id = :site_id AND page_id = :page_id AND cell = :cell LIMIT 1;
