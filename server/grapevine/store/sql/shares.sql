-- name: share
-- Returns the stored row of one share; none when it was neither reported nor opened.
SELECT page_id, first_at, reported_at, proven_at, returns, self_returns, url, reported_by FROM shares
WHERE cell = :cell AND site_id = :site_id AND visit_id = :visit_id AND channel = :channel AND n = :n;

-- name: unfurls_of_share
-- Returns how many preview robots fetched one share's link, by app.
SELECT app, count(*) FROM unfurls
WHERE cell = :cell AND site_id = :site_id AND visit_id = :visit_id AND channel = :channel AND n = :n
GROUP BY app ORDER BY app /*postgres COLLATE "C" */;

-- name: reach_of_share
-- Returns the reach of one share, everything below it: how many visits, how deep and from how many networks it was
-- opened by others than its sharer; how many shares they made; their conversions by reporter and currency with their
-- value, whole units and millionths (`money.joined`). A network has another hash each day, and is counted once a day.
-- `hangs_on` is the sharing visit, or, where that is aside, its nearest ancestor that is not (visits aside have no
-- children of their own).
WITH RECURSIVE below (visit_id, depth, opened_from, erased) AS (
    SELECT visit_id, depth, network, 0 FROM visits /*sqlite INDEXED BY visits_parent */
    WHERE cell = :cell AND site_id = :site_id AND parent_id = :hangs_on
      AND channel = :channel AND n = :n AND COALESCE(via_id, parent_id) = :visit_id AND (flags & 1) = 0
    UNION ALL
    SELECT v.visit_id, v.depth, CAST(NULL AS BIGINT), v.flags & 4
    FROM below /*sqlite CROSS */ JOIN visits v /*sqlite INDEXED BY visits_parent */ ON v.parent_id = below.visit_id
    WHERE v.cell = :cell AND v.site_id = :site_id AND (v.flags & 1) = 0
)
SELECT 'visits' AS what, CAST(NULL AS SMALLINT) AS reported_by, NULL AS currency, count(*) AS times,
    CAST(max(depth) AS BIGINT) AS first, count(DISTINCT opened_from) AS second
FROM below WHERE erased = 0
UNION ALL
SELECT 'shares', NULL, NULL, count(*), NULL, NULL
FROM below /*sqlite CROSS */ JOIN shares s ON s.visit_id = below.visit_id
WHERE s.cell = :cell AND s.site_id = :site_id AND s.first_at IS NOT NULL
UNION ALL
SELECT 'conversions', c.reported_by, c.currency, count(*) - count(c.refunded_key), {{total_value}}
FROM below /*sqlite CROSS */ JOIN conversions c ON c.visit_id = below.visit_id
WHERE c.cell = :cell AND c.site_id = :site_id
GROUP BY c.reported_by, c.currency;

-- name: networks_of_shares
-- Returns from how many networks some shares were opened by others than their sharers; leaves out those that were never
-- opened. A network has another hash each day, and is counted once a day. `hangs_on` as in `reach_of_share`.
SELECT found.visit_id, found.channel, found.n, count(found.network)
FROM (
    SELECT rows.visit_id, rows.channel, rows.n, v.cell, v.network
    FROM rows(visit_id bigint, cell smallint, channel smallint, n smallint, hangs_on bigint)
    /*sqlite CROSS */ JOIN visits v /*sqlite INDEXED BY visits_parent */
      ON v.site_id = :site_id AND v.parent_id = rows.hangs_on AND v.cell = rows.cell
    WHERE v.channel = rows.channel AND v.n = rows.n AND COALESCE(v.via_id, v.parent_id) = rows.visit_id
      AND (v.flags & 1) = 0
    GROUP BY rows.visit_id, rows.channel, rows.n, v.cell, v.network
) AS found
GROUP BY found.visit_id, found.channel, found.n, found.cell;

-- name: last_return
-- Returns the last visit that came through a share before some time and is not a self-return, and when. `hangs_on` as in
-- `reach_of_share`.
SELECT visit_id, at FROM visits /*sqlite INDEXED BY visits_parent */
WHERE cell = :cell AND site_id = :site_id AND parent_id = :hangs_on
  AND channel = :channel AND n = :n AND COALESCE(via_id, parent_id) = :visit_id AND (flags & 5) = 0 AND at <= :at
ORDER BY at DESC, visit_id DESC LIMIT 1;

-- name: followed_link
-- Returns where the short link of a token leads. Of a minted link: its URL, its channel, the names of its places and when
-- it expires. Of a share: the page, and the URL of one that is in no list, that its report named with the visit's session;
-- nothing when it was reported by its token alone. The page of a report from before `reported_by` is one: such links are
-- out in the world.
SELECT CAST(NULL AS BIGINT) AS page_id, url, channel, places, expires_at FROM links
WHERE cell = :cell AND site_id = :site_id AND visit_id = :visit_id
UNION ALL
SELECT page_id, url, NULL, NULL, NULL FROM shares
WHERE cell = :cell AND site_id = :site_id AND visit_id = :visit_id AND channel = :channel AND n = :n
  AND page_id IS NOT NULL AND (reported_by IS NULL OR reported_by = 1);

-- name: shares_of_page
-- Returns how often a page was shared, by channel.
SELECT channel, CAST(sum(shares) AS BIGINT)
FROM counts_shared WHERE site_id = :site_id AND page_id = :page_id
GROUP BY channel HAVING sum(shares) > 0 ORDER BY channel;

-- name: reported_pages
-- Returns the pages of some shares, where a report named them.
SELECT s.visit_id, s.channel, s.n, s.page_id
FROM rows(visit_id bigint, cell smallint, channel smallint, n smallint)
/*sqlite CROSS */ JOIN shares s ON s.site_id = :site_id AND s.visit_id = rows.visit_id AND s.cell = rows.cell
  AND s.channel = rows.channel AND s.n = rows.n
WHERE s.page_id IS NOT NULL;
