-- name: chain_to_visit
-- The visits from the root of a cascade to one visit, root first; empty when the visit is not there.
WITH RECURSIVE path (
    visit_id, at, page_id, source, channel, n, via_id, parent_id, depth, flags, verdict, device, step
) AS (
    SELECT visit_id, at, page_id, source, channel, n, via_id, parent_id, depth, flags, verdict, device, 0
    FROM visits WHERE cell = :cell AND site_id = :site_id AND visit_id = :visit_id
    UNION ALL
    SELECT v.visit_id, v.at, v.page_id, v.source, v.channel, v.n, v.via_id, v.parent_id, v.depth, v.flags, v.verdict,
        v.device, path.step + 1
    FROM path /*sqlite CROSS */ JOIN visits v ON v.visit_id = path.parent_id
    WHERE v.cell = :cell AND v.site_id = :site_id
)
SELECT visit_id, at, page_id, source, channel, n, via_id, parent_id, depth, flags, verdict, device
FROM path ORDER BY step DESC;

-- name: share
-- What is stored of one share; no row when it was neither reported nor opened.
SELECT page_id, first_at, reported_at, proven_at, returns, self_returns FROM shares
WHERE cell = :cell AND site_id = :site_id AND visit_id = :visit_id AND channel = :channel AND n = :n;

-- name: unfurls_of_share
-- How many preview robots fetched one share's link, by app.
SELECT app, count(*) FROM unfurls
WHERE cell = :cell AND site_id = :site_id AND visit_id = :visit_id AND channel = :channel AND n = :n
GROUP BY app ORDER BY app /*postgres COLLATE "C" */;

-- name: reach_of_share
-- Everything below one share: how many visits and how deep, how many shares they made, their conversions by currency
-- with what they were worth, whole units and the millionths beside them (`money.joined`).
-- `hangs_on` is the sharing visit, or what it hangs on where it stands aside (those visits have no children of their own).
WITH RECURSIVE below (visit_id, depth) AS (
    SELECT visit_id, depth FROM visits /*sqlite INDEXED BY visits_parent */
    WHERE cell = :cell AND site_id = :site_id AND parent_id = :hangs_on
      AND channel = :channel AND n = :n AND COALESCE(via_id, parent_id) = :visit_id AND (flags & 1) = 0
    UNION ALL
    SELECT v.visit_id, v.depth
    FROM below /*sqlite CROSS */ JOIN visits v /*sqlite INDEXED BY visits_parent */ ON v.parent_id = below.visit_id
    WHERE v.cell = :cell AND v.site_id = :site_id AND (v.flags & 1) = 0
)
SELECT 'visits' AS what, NULL AS currency, count(*) AS times, CAST(max(depth) AS BIGINT) AS total,
    CAST(NULL AS BIGINT) AS millionths
FROM below
UNION ALL
SELECT 'shares', NULL, count(*), NULL, NULL
FROM below /*sqlite CROSS */ JOIN shares s ON s.visit_id = below.visit_id
WHERE s.cell = :cell AND s.site_id = :site_id AND s.first_at IS NOT NULL
UNION ALL
SELECT 'conversions', c.currency, count(*),
    CAST(sum(c.value / 1000000) AS BIGINT), CAST(sum(c.value % 1000000) AS BIGINT)
FROM below /*sqlite CROSS */ JOIN conversions c ON c.visit_id = below.visit_id
WHERE c.cell = :cell AND c.site_id = :site_id
GROUP BY c.currency;

-- name: page_urls
-- The URLs of some pages.
SELECT p.page_id, p.url
FROM rows(page_id bigint, cell smallint)
/*sqlite CROSS */ JOIN pages p ON p.site_id = :site_id AND p.page_id = rows.page_id AND p.cell = rows.cell;
