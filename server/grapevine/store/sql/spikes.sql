-- name: pages_with_returns
-- Returns pages of a site with at least a given number of returns in a few days, those with the most first.
SELECT page_id, CAST(sum(returns) AS BIGINT) FROM counts_page
WHERE site_id = :site_id AND day >= :from_day AND day < :to_day AND returns > 0
GROUP BY page_id HAVING sum(returns) >= :least ORDER BY sum(returns) DESC, page_id LIMIT :limit;

-- name: returns_of_pages
-- Returns the number of returns of some pages by whole hours before a moment, through the index on pages; hour 0 is the
-- last one.
SELECT v.page_id, (CAST(:end AS BIGINT) - 1 - v.at) / 3600000 AS hour, count(*)
FROM visits v /*sqlite INDEXED BY visits_page */
WHERE v.site_id = :site_id AND v.page_id IN (SELECT page_id FROM rows(page_id bigint))
  AND (v.at / 86400000) >= :from_unix_day AND (v.at / 86400000) < :to_unix_day AND v.at >= :start AND v.at < :end
  AND v.parent_id IS NOT NULL AND v.source <> 10 AND (v.flags & 5) = 0 AND v.verdict IS NULL
GROUP BY 1, 2;

-- name: spikes_of_pages
-- Returns the spikes of a site's pages that were still seen after a moment, the newest first.
SELECT page_id, started_at, last_at FROM spikes WHERE site_id = :site_id AND last_at >= :since
ORDER BY started_at DESC, page_id;

-- name: spikes_raised
-- Returns the spikes of a site that were raised in a period, the newest first, from behind a position in this order; of
-- one page if given.
SELECT page_id, started_at, last_at, returns, expected, peak FROM spikes
WHERE site_id = :site_id AND started_at >= :start AND started_at < :end
  AND (CAST(:page_id AS BIGINT) IS NULL OR page_id = :page_id)
  AND (started_at < :before OR (started_at = :before AND page_id > :after_page))
ORDER BY started_at DESC, page_id LIMIT :limit;

-- name: insert_spike
-- Inserts a spike, unless another process has raised it in the same check.
INSERT INTO spikes (site_id, page_id, started_at, last_at, returns, expected, peak)
VALUES (:site_id, :page_id, :at, :at, :returns, :expected, :returns)
ON CONFLICT (site_id, page_id, started_at) DO NOTHING RETURNING page_id;

-- name: prolong_spike
-- Updates a spike that still goes on.
UPDATE spikes SET last_at = :at, peak = CASE WHEN peak < :returns THEN :returns ELSE peak END
WHERE site_id = :site_id AND page_id = :page_id AND started_at = :started_at;
