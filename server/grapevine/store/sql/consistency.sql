-- name: any_page_join
-- Returns whether there is a page that is to be joined with another one.
SELECT 1 FROM page_joins LIMIT 1;

-- name: any_visit
-- Returns whether there is a visit at all.
SELECT 1 FROM visits LIMIT 1;

-- name: recount_visitors
-- Compares daily distinct visitors in each table of counts, and the guards that are left of a day, with the rows of
-- visits. Which of a visitor's visits was the first is decided on arrival, so only whole days can be compared.
WITH entries AS (
    SELECT site_id, hour / 24 - 18262 AS day, sum(visitors) AS by_hour, 0 AS by_page, 0 AS by_device,
        CAST(NULL AS BIGINT) AS guards, 0 AS counted
    FROM counts_hour WHERE {{of_site}} AND hour >= :first_hour GROUP BY 1, 2
    UNION ALL
    SELECT site_id, day, 0, sum(visitors), 0, NULL, 0
    FROM counts_page WHERE {{of_site}} AND day >= :first_day GROUP BY 1, 2
    UNION ALL
    SELECT site_id, day, 0, 0, sum(visitors), NULL, 0
    FROM counts_device WHERE {{of_site}} AND day >= :first_day GROUP BY 1, 2
    UNION ALL
    SELECT site_id, expires_at / 86400000 - 18264, 0, 0, 0, count(*), 0
    FROM guards WHERE {{of_site}} AND kind = 1 AND expires_at / 86400000 - 18264 >= :first_day GROUP BY 1, 2
    UNION ALL
    SELECT site_id, at / 86400000 - 18262, 0, 0, 0, NULL, count(DISTINCT visitor)
    FROM visits
    WHERE {{of_site}} AND at >= :first_at AND source <> 10 AND (flags & 4) = 0 AND verdict IS NULL
    GROUP BY 1, 2
)
SELECT count(*) OVER (), site_id, day,
    sum(by_hour), sum(counted), sum(by_page), sum(counted), sum(by_device), sum(counted),
    COALESCE(sum(guards), sum(counted)), sum(counted)
FROM entries
GROUP BY site_id, day
HAVING sum(by_hour) <> sum(counted) OR sum(by_page) <> sum(counted) OR sum(by_device) <> sum(counted)
    OR sum(guards) <> sum(counted)
ORDER BY site_id, day LIMIT :most;

-- name: recount_log_joins
-- Returns the visits that a line of an access log was joined with and that are not there.
SELECT count(*) OVER (), j.site_id, j.visit_id, 1, 0
FROM log_joins j LEFT JOIN visits v ON v.site_id = j.site_id AND v.visit_id = j.visit_id AND v.cell = j.cell
WHERE (CAST(:site_id AS BIGINT) IS NULL OR j.site_id = :site_id) AND v.visit_id IS NULL
ORDER BY j.site_id, j.visit_id LIMIT :most;

-- name: recount_views
-- Compares all views of a site in each table of counts with its visits. A row knows how many views its visit had, not
-- when, so totals are compared, those of deleted visits included; views of people who asked not to be followed are in the
-- counts only and subtracted.
WITH entries AS (
    SELECT site_id, sum(views - unlinked) AS by_hour, 0 AS by_page, 0 AS by_device, 0 AS counted
    FROM counts_hour WHERE {{of_site}} GROUP BY 1
    UNION ALL
    SELECT site_id, 0, sum(views - unlinked), 0, 0
    FROM counts_page WHERE {{of_site}} GROUP BY 1
    UNION ALL
    SELECT site_id, 0, 0, sum(views - unlinked), 0
    FROM counts_device WHERE {{of_site}} GROUP BY 1
    UNION ALL
    SELECT site_id, 0, 0, 0, sum(views)
    FROM visits
    WHERE {{of_site}} AND source <> 10 AND (flags & 4) = 0 AND verdict IS NULL
    GROUP BY 1
    UNION ALL
    SELECT site_id, 0, 0, 0, sum(views)
    FROM deleted_counts WHERE {{of_site}} AND hour < 0 GROUP BY 1
)
SELECT count(*) OVER (), site_id,
    sum(by_hour), sum(counted), sum(by_page), sum(counted), sum(by_device), sum(counted)
FROM entries
GROUP BY site_id
HAVING sum(by_hour) <> sum(counted) OR sum(by_page) <> sum(counted) OR sum(by_device) <> sum(counted)
ORDER BY site_id LIMIT :most;

-- name: recount_days
-- Compares views and unlinked visits of a day, which have no rows of their own: counts_page and counts_device with
-- counts_hour.
WITH entries AS (
    SELECT site_id, hour / 24 - 18262 AS day, sum(views) AS views, sum(unlinked) AS unlinked,
        0 AS page_views, 0 AS page_unlinked, 0 AS device_views, 0 AS device_unlinked
    FROM counts_hour WHERE {{of_site}} GROUP BY 1, 2
    UNION ALL
    SELECT site_id, day, 0, 0, sum(views), sum(unlinked), 0, 0
    FROM counts_page WHERE {{of_site}} GROUP BY 1, 2
    UNION ALL
    SELECT site_id, day, 0, 0, 0, 0, sum(views), sum(unlinked)
    FROM counts_device WHERE {{of_site}} GROUP BY 1, 2
)
SELECT count(*) OVER (), site_id, day,
    sum(page_views), sum(views), sum(page_unlinked), sum(unlinked),
    sum(device_views), sum(views), sum(device_unlinked), sum(unlinked)
FROM entries
GROUP BY site_id, day
HAVING sum(page_views) <> sum(views) OR sum(page_unlinked) <> sum(unlinked)
    OR sum(device_views) <> sum(views) OR sum(device_unlinked) <> sum(unlinked)
ORDER BY site_id, day LIMIT :most;

-- name: recount_shares
-- Returns shares that disagree with the visits that came through them: `proven` is 1 with a return of another person,
-- `seen` 1 where the share was reported or proven. Shares that may have returns past retention are left out (from
-- `first_id` on there are none). The shares of an erased visit are gone; returns
-- through them stay.
WITH entries AS (
    SELECT site_id, visit_id, cell, channel, n, returns, self_returns,
        CASE WHEN proven_at IS NULL THEN 0 ELSE 1 END AS proven,
        CASE WHEN first_at IS NULL THEN 0 ELSE 1 END AS seen,
        CASE WHEN reported_at IS NULL THEN 0 ELSE 1 END AS reported,
        0 AS came_back, 0 AS came_back_self
    FROM shares WHERE {{of_site}}
    UNION ALL
    SELECT v.site_id, s.visit_id, v.cell, v.channel, v.n, 0, 0, 0, 0, 0,
        sum(CASE WHEN (v.flags & 1) = 0 THEN 1 ELSE 0 END), sum(CASE WHEN (v.flags & 1) = 0 THEN 0 ELSE 1 END)
    FROM visits v /*sqlite CROSS */ JOIN visits s
      ON s.site_id = v.site_id AND s.visit_id = COALESCE(v.via_id, v.parent_id) AND s.cell = v.cell
    WHERE (CAST(:site_id AS BIGINT) IS NULL OR v.site_id = :site_id) AND v.parent_id IS NOT NULL
        AND v.channel IS NOT NULL AND v.verdict IS NULL AND (s.flags & 4) = 0
    GROUP BY 1, 2, 3, 4, 5
), summed AS (
    SELECT site_id, visit_id, channel, n, sum(returns) AS returns, sum(self_returns) AS self_returns,
        max(proven) AS proven, max(seen) AS seen, max(reported) AS reported,
        sum(came_back) AS came_back, sum(came_back_self) AS came_back_self
    FROM entries GROUP BY site_id, visit_id, cell, channel, n
)
SELECT count(*) OVER (), site_id, visit_id, channel, n,
    returns, came_back, self_returns, came_back_self,
    proven, CASE WHEN came_back > 0 THEN 1 ELSE 0 END,
    seen, CASE WHEN came_back > 0 OR reported = 1 THEN 1 ELSE 0 END
FROM summed
WHERE visit_id >= :first_id
  AND (returns <> came_back OR self_returns <> came_back_self
    OR proven <> CASE WHEN came_back > 0 THEN 1 ELSE 0 END
    OR seen <> CASE WHEN came_back > 0 OR reported = 1 THEN 1 ELSE 0 END)
ORDER BY site_id, visit_id, channel, n LIMIT :most;

-- name: recount_shared
-- Returns rows of counts_shared that disagree with the shares: a share counts under the page that its report named,
-- else under the first page of its visit.
WITH entries AS (
    SELECT site_id, page_id, channel, shares AS stored, 0 AS counted
    FROM counts_shared WHERE {{of_site}}
    UNION ALL
    SELECT s.site_id, COALESCE(s.page_id, v.page_id), s.channel, 0, count(*)
    FROM shares s /*sqlite CROSS */ JOIN visits v
      ON v.site_id = s.site_id AND v.visit_id = s.visit_id AND v.cell = s.cell
    WHERE (CAST(:site_id AS BIGINT) IS NULL OR s.site_id = :site_id) AND s.first_at IS NOT NULL
      AND v.verdict IS NULL
    GROUP BY 1, 2, 3
    UNION ALL
    SELECT site_id, page_id, channel, 0, sum(shares)
    FROM deleted_counts WHERE {{of_site}} AND hour < 0 GROUP BY 1, 2, 3
)
SELECT count(*) OVER (), site_id, page_id, channel, sum(stored), sum(counted)
FROM entries
GROUP BY site_id, page_id, channel
HAVING sum(stored) <> sum(counted)
ORDER BY site_id, page_id, channel LIMIT :most;

-- name: recount_cascades
-- Returns the summaries of cascades that disagree with their rows; a cascade has one as soon as it has a return. `size`
-- leaves out self-returns, erased visits and the nodes of minted links, `shares` the tokens of minted links; `shares` and
-- `conversions` include those of self-returns. Cascades whose root or visits may be past retention are left out (from
-- `first_id` on there are none).
WITH grown AS (
    SELECT site_id, root_id, cell, count(*) AS returns, max(depth) AS max_depth, max(at) AS last_at
    FROM visits
    WHERE {{of_site}} AND root_id IS NOT NULL AND (flags & 5) = 0
    GROUP BY 1, 2, 3
), entries AS (
    SELECT site_id, root_id, cell, 1 AS stored, size AS stored_size, max_depth AS stored_depth,
        last_at AS stored_last_at, shares AS stored_shares, conversions AS stored_conversions,
        0 AS size, 0 AS max_depth, 0 AS last_at, 0 AS shares, 0 AS conversions
    FROM cascades WHERE {{of_site}}
    UNION ALL
    SELECT g.site_id, g.root_id, g.cell, 0, 0, 0, 0, 0, 0,
        g.returns + CASE WHEN r.source <> 10 AND r.verdict IS NULL AND (r.flags & 4) = 0 THEN 1 ELSE 0 END, g.max_depth, g.last_at, 0, 0
    FROM grown g LEFT JOIN visits r ON r.site_id = g.site_id AND r.visit_id = g.root_id AND r.cell = g.cell
    UNION ALL
    SELECT s.site_id, COALESCE(v.root_id, v.visit_id), s.cell, 0, 0, 0, 0, 0, 0, 0, 0, 0, count(*), 0
    FROM shares s /*sqlite CROSS */ JOIN visits v
      ON v.site_id = s.site_id AND v.visit_id = s.visit_id AND v.cell = s.cell
    WHERE (CAST(:site_id AS BIGINT) IS NULL OR s.site_id = :site_id) AND s.first_at IS NOT NULL
      AND v.source <> 10 AND v.verdict IS NULL
    GROUP BY 1, 2, 3
    UNION ALL
    SELECT c.site_id, COALESCE(v.root_id, v.visit_id), c.cell, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, count(*)
    FROM conversions c /*sqlite CROSS */ JOIN visits v
      ON v.site_id = c.site_id AND v.visit_id = c.visit_id AND v.cell = c.cell
    WHERE (CAST(:site_id AS BIGINT) IS NULL OR c.site_id = :site_id) AND v.verdict IS NULL AND c.refunded_key IS NULL
    GROUP BY 1, 2, 3
)
SELECT count(*) OVER (), site_id, root_id,
    sum(stored_size), sum(size), sum(stored_depth), sum(max_depth), sum(stored_last_at), sum(last_at),
    sum(stored_shares), sum(shares), sum(stored_conversions), sum(conversions)
FROM entries
GROUP BY site_id, root_id, cell
HAVING root_id >= :first_id AND (sum(stored) > 0 OR sum(size) > 0)
   AND (sum(stored_size) <> sum(size) OR sum(stored_depth) <> sum(max_depth) OR sum(stored_last_at) <> sum(last_at)
        OR sum(stored_shares) <> sum(shares) OR sum(stored_conversions) <> sum(conversions))
ORDER BY site_id, root_id LIMIT :most;

-- name: recount_chains
-- Returns visits whose position in their cascade does not follow from the share they came through: the sharer's row has
-- to exist, unless its day is past retention, and determines depth, root and parent. A first visit has none of them.
SELECT count(*) OVER (), v.site_id, v.visit_id,
    COALESCE(v.via_id, v.parent_id), s.visit_id,
    v.parent_id,
    CASE WHEN s.visit_id IS NULL THEN v.parent_id WHEN (s.flags & 1) <> 0 THEN COALESCE(s.parent_id, s.visit_id)
        ELSE s.visit_id END,
    v.root_id,
    CASE WHEN s.visit_id IS NULL AND v.parent_id IS NOT NULL THEN v.root_id ELSE COALESCE(s.root_id, s.visit_id) END,
    v.depth,
    CASE WHEN v.parent_id IS NULL THEN 0 WHEN s.visit_id IS NULL THEN v.depth ELSE s.depth + 1 - (v.flags & 1) END
FROM visits v LEFT JOIN visits s
  ON s.site_id = v.site_id AND s.visit_id = COALESCE(v.via_id, v.parent_id) AND s.cell = v.cell
WHERE (CAST(:site_id AS BIGINT) IS NULL OR v.site_id = :site_id)
  AND CASE
        WHEN v.parent_id IS NULL THEN v.depth <> 0 OR v.root_id IS NOT NULL
        WHEN s.visit_id IS NULL THEN COALESCE(v.via_id, v.parent_id) >= :first_kept_id
        ELSE v.depth <> s.depth + 1 - (v.flags & 1)
            OR COALESCE(v.root_id, -1) <> COALESCE(s.root_id, s.visit_id)
            OR v.parent_id <> CASE WHEN (s.flags & 1) <> 0 THEN COALESCE(s.parent_id, s.visit_id) ELSE s.visit_id END
    END
ORDER BY v.site_id, v.visit_id LIMIT :most;

-- name: recount_links
-- Returns minted links that disagree with their nodes: each node has a link, and each link a node, its names, and its word.
-- Clicks belong to a link.
WITH entries AS (
    SELECT site_id, visit_id, 1 AS links, 0 AS nodes, 0 AS names,
        CASE WHEN external_id IS NULL THEN 0 ELSE 1 END + CASE WHEN label IS NULL THEN 0 ELSE 1 END
            + CASE WHEN campaign IS NULL THEN 0 ELSE 1 END AS named,
        0 AS words, CASE WHEN word IS NULL THEN 0 ELSE 1 END AS worded, 0 AS clicked
    FROM links WHERE {{of_site}}
    UNION ALL
    SELECT site_id, visit_id, 0, 1, 0, 0, 0, 0, 0 FROM visits WHERE {{of_site}} AND source = 10
    UNION ALL
    SELECT site_id, visit_id, 0, 0, 1, 0, 0, 0, 0 FROM link_names WHERE {{of_site}}
    UNION ALL
    SELECT site_id, visit_id, 0, 0, 0, 0, 1, 0, 0 FROM link_words WHERE {{of_site}} AND visit_id IS NOT NULL
    UNION ALL
    SELECT site_id, visit_id, 0, 0, 0, 0, 0, 0, 1 FROM link_clicks WHERE {{of_site}}
)
SELECT count(*) OVER (), site_id, visit_id,
    sum(links), sum(nodes), sum(names), sum(named), sum(words), sum(worded), max(clicked),
    CASE WHEN max(clicked) > sum(links) THEN 0 ELSE max(clicked) END
FROM entries
GROUP BY site_id, visit_id
HAVING sum(links) <> sum(nodes) OR sum(names) <> sum(named) OR sum(words) <> sum(worded) OR max(clicked) > sum(links)
ORDER BY site_id, visit_id LIMIT :most;
