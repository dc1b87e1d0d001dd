-- fragment: of_site
-- The rows of one site, or of all sites.
(CAST(:site_id AS BIGINT) IS NULL OR site_id = :site_id)

-- fragment: compared_measures
-- The measures that are counted from rows of events.
visits, returns, self_returns, same_network, shares, reported, proven, conversions, unfurls

-- fragment: summed_events
-- The sums of the compared measures.
sum(visits), sum(returns), sum(self_returns), sum(same_network), sum(shares), sum(reported), sum(proven),
sum(conversions), sum(unfurls)

-- fragment: stored_and_counted
-- The sums of the compared measures: those of the rows of side 1, which are stored, and those of side -1.
sum(CASE side WHEN 1 THEN visits ELSE 0 END), sum(CASE side WHEN 1 THEN 0 ELSE visits END),
sum(CASE side WHEN 1 THEN returns ELSE 0 END), sum(CASE side WHEN 1 THEN 0 ELSE returns END),
sum(CASE side WHEN 1 THEN self_returns ELSE 0 END), sum(CASE side WHEN 1 THEN 0 ELSE self_returns END),
sum(CASE side WHEN 1 THEN same_network ELSE 0 END), sum(CASE side WHEN 1 THEN 0 ELSE same_network END),
sum(CASE side WHEN 1 THEN shares ELSE 0 END), sum(CASE side WHEN 1 THEN 0 ELSE shares END),
sum(CASE side WHEN 1 THEN reported ELSE 0 END), sum(CASE side WHEN 1 THEN 0 ELSE reported END),
sum(CASE side WHEN 1 THEN proven ELSE 0 END), sum(CASE side WHEN 1 THEN 0 ELSE proven END),
sum(CASE side WHEN 1 THEN conversions ELSE 0 END), sum(CASE side WHEN 1 THEN 0 ELSE conversions END),
sum(CASE side WHEN 1 THEN unfurls ELSE 0 END), sum(CASE side WHEN 1 THEN 0 ELSE unfurls END)

-- fragment: any_differs
-- Whether a sum of side 1 is not that of side -1.
sum(side * visits) <> 0 OR sum(side * returns) <> 0 OR sum(side * self_returns) <> 0
OR sum(side * same_network) <> 0 OR sum(side * shares) <> 0 OR sum(side * reported) <> 0
OR sum(side * proven) <> 0 OR sum(side * conversions) <> 0 OR sum(side * unfurls) <> 0

-- fragment: counted_events
-- Each visit, share and conversion with what it adds to every measure, those included that are deleted and counted after
-- the horizon. A share and a conversion have the page, source, depth (63 where it is greater), device and app of their
-- visit. In the whole file no hour or day is compared with rows of which some may be past retention: `first_hour`,
-- `first_day` and `first_at` are the first ones.
SELECT site_id, at, source, COALESCE(channel, -1) AS channel,
    CASE WHEN depth < 63 THEN depth ELSE 63 END AS depth, page_id, device, COALESCE(app, '') AS app,
    1 AS visits,
    CASE WHEN parent_id IS NOT NULL AND (flags & 1) = 0 THEN 1 ELSE 0 END AS returns,
    CASE WHEN (flags & 1) <> 0 THEN 1 ELSE 0 END AS self_returns,
    CASE WHEN parent_id IS NOT NULL AND (flags & 3) = 2 THEN 1 ELSE 0 END AS same_network,
    0 AS shares, 0 AS reported, 0 AS proven, 0 AS conversions, 0 AS unfurls
FROM visits
WHERE (CAST(:site_id AS BIGINT) IS NULL OR site_id = :site_id) AND source <> 10 AND (flags & 4) = 0
    AND verdict IS NULL
UNION ALL
SELECT s.site_id, s.first_at, v.source, s.channel, CASE WHEN v.depth < 63 THEN v.depth ELSE 63 END,
    v.page_id, v.device, COALESCE(v.app, ''), 0, 0, 0, 0,
    1, CASE WHEN s.reported_at IS NULL THEN 0 ELSE 1 END, CASE WHEN s.proven_at IS NULL THEN 0 ELSE 1 END, 0, 0
FROM shares s /*sqlite CROSS */ JOIN visits v ON v.site_id = s.site_id AND v.visit_id = s.visit_id AND v.cell = s.cell
WHERE (CAST(:site_id AS BIGINT) IS NULL OR s.site_id = :site_id) AND s.first_at IS NOT NULL AND v.verdict IS NULL
UNION ALL
SELECT c.site_id, c.at, v.source, COALESCE(v.channel, -1), CASE WHEN v.depth < 63 THEN v.depth ELSE 63 END, v.page_id, v.device,
    COALESCE(v.app, ''),
    0, 0, 0, 0, 0, 0, 0, 1, 0
FROM conversions c /*sqlite CROSS */ JOIN visits v
  ON v.site_id = c.site_id AND v.visit_id = c.visit_id AND v.cell = c.cell
WHERE (CAST(:site_id AS BIGINT) IS NULL OR c.site_id = :site_id) AND v.verdict IS NULL AND c.refunded_key IS NULL
UNION ALL
SELECT site_id, hour * 3600000, source, channel, depth, page_id, device, app,
    0, 0, 0, 0, shares, reported, proven, conversions, 0
FROM deleted_counts WHERE (CAST(:site_id AS BIGINT) IS NULL OR site_id = :site_id) AND hour >= 0

-- name: recount_hours
-- Returns rows of counts_hour that disagree with the rows of events. People who asked not to be followed have no rows,
-- and views count in the hour of the view: both are left to recount_views and recount_days.
WITH counted AS (
    {{counted_events}}
), entries AS (
    SELECT 1 AS side, site_id, hour, source, channel, depth, {{compared_measures}}
    FROM counts_hour WHERE {{of_site}} AND hour >= :first_hour
    UNION ALL
    SELECT -1, site_id, at / 3600000, source, channel, depth, {{summed_events}} FROM counted WHERE at >= :first_at
    GROUP BY 2, 3, 4, 5, 6
)
SELECT count(*) OVER (), site_id, hour, source, channel, depth,
    {{stored_and_counted}}
FROM entries
GROUP BY site_id, hour, source, channel, depth
HAVING {{any_differs}}
ORDER BY site_id, hour, source, channel, depth LIMIT :most;

-- name: recount_day_counts
-- Returns rows of counts_day that disagree with the sums of counts_hour: each hour counts once under its channel, its
-- source, its depth and its hour of the day. Link previews are counted under the hour only, and have rows of their own.
WITH dimensions AS (
    SELECT 0 AS dimension UNION ALL SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3
), entries AS (
    SELECT 1 AS side, site_id, day, dimension, key, visits, returns, self_returns, same_network, shares, reported, proven,
        conversions, CASE WHEN day >= :first_day THEN unfurls ELSE 0 END AS unfurls, views, visitors, unlinked
    FROM counts_day WHERE {{of_site}}
    UNION ALL
    SELECT -1, site_id, hour / 24 - 18262, dimension,
        CASE dimension WHEN 0 THEN channel WHEN 1 THEN source WHEN 2 THEN depth ELSE hour % 24 END,
        visits, returns, self_returns, same_network, shares, reported, proven, conversions, 0, views, visitors, unlinked
    FROM counts_hour CROSS JOIN dimensions WHERE {{of_site}}
    UNION ALL
    SELECT -1, site_id, at / 86400000 - 18262, 3, at / 3600000 % 24, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0
    FROM unfurls WHERE {{of_site}} AND at >= :first_at
    UNION ALL
    SELECT -1, site_id, hour / 24 - 18262, 3, hour % 24, 0, 0, 0, 0, 0, 0, 0, 0, unfurls, 0, 0, 0
    FROM deleted_counts WHERE {{of_site}} AND hour >= :first_hour AND hour >= 0
)
SELECT count(*) OVER (), site_id, day, dimension, key,
    {{stored_and_counted}},
    sum(CASE side WHEN 1 THEN views ELSE 0 END), sum(CASE side WHEN 1 THEN 0 ELSE views END),
    sum(CASE side WHEN 1 THEN visitors ELSE 0 END), sum(CASE side WHEN 1 THEN 0 ELSE visitors END),
    sum(CASE side WHEN 1 THEN unlinked ELSE 0 END), sum(CASE side WHEN 1 THEN 0 ELSE unlinked END)
FROM entries
GROUP BY site_id, day, dimension, key
HAVING {{any_differs}}
    OR sum(side * views) <> 0 OR sum(side * visitors) <> 0 OR sum(side * unlinked) <> 0
ORDER BY site_id, day, dimension, key LIMIT :most;

-- name: recount_pages
-- Returns rows of counts_page that disagree with the rows of events: a share and a conversion count on the first page
-- of their visit.
WITH counted AS (
    {{counted_events}}
), entries AS (
    SELECT 1 AS side, site_id, day, page_id, {{compared_measures}}
    FROM counts_page WHERE {{of_site}} AND day >= :first_day
    UNION ALL
    SELECT -1, site_id, at / 86400000 - 18262, page_id, {{summed_events}} FROM counted WHERE at >= :first_at
    GROUP BY 2, 3, 4
)
SELECT count(*) OVER (), site_id, day, page_id,
    {{stored_and_counted}}
FROM entries
GROUP BY site_id, day, page_id
HAVING {{any_differs}}
ORDER BY site_id, day, page_id LIMIT :most;

-- name: recount_weeks
-- Returns rows of counts_week that disagree with the sums of counts_page.
WITH entries AS (
    SELECT 1 AS side, site_id, week, page_id, views, visits, returns, shares, proven, unlinked
    FROM counts_week WHERE {{of_site}}
    UNION ALL
    SELECT -1, site_id, day / 7, page_id, views, visits, returns, shares, proven, unlinked
    FROM counts_page WHERE {{of_site}}
)
SELECT count(*) OVER (), site_id, week, page_id,
    sum(CASE side WHEN 1 THEN views ELSE 0 END), sum(CASE side WHEN 1 THEN 0 ELSE views END),
    sum(CASE side WHEN 1 THEN visits ELSE 0 END), sum(CASE side WHEN 1 THEN 0 ELSE visits END),
    sum(CASE side WHEN 1 THEN returns ELSE 0 END), sum(CASE side WHEN 1 THEN 0 ELSE returns END),
    sum(CASE side WHEN 1 THEN shares ELSE 0 END), sum(CASE side WHEN 1 THEN 0 ELSE shares END),
    sum(CASE side WHEN 1 THEN proven ELSE 0 END), sum(CASE side WHEN 1 THEN 0 ELSE proven END),
    sum(CASE side WHEN 1 THEN unlinked ELSE 0 END), sum(CASE side WHEN 1 THEN 0 ELSE unlinked END)
FROM entries
GROUP BY site_id, week, page_id
HAVING sum(side * views) <> 0 OR sum(side * visits) <> 0 OR sum(side * returns) <> 0
    OR sum(side * shares) <> 0 OR sum(side * proven) <> 0 OR sum(side * unlinked) <> 0
ORDER BY site_id, week, page_id LIMIT :most;

-- name: recount_devices
-- Returns rows of counts_device that disagree with the rows of events: link previews count under their robot's app.
WITH counted AS (
    {{counted_events}}
    UNION ALL
    SELECT site_id, at, 0, 0, 0, 0, 0, app, 0, 0, 0, 0, 0, 0, 0, 0, 1 FROM unfurls WHERE {{of_site}}
    UNION ALL
    SELECT site_id, hour * 3600000, 0, 0, 0, 0, 0, app, 0, 0, 0, 0, 0, 0, 0, 0, unfurls
    FROM deleted_counts WHERE {{of_site}} AND hour >= 0
), entries AS (
    SELECT 1 AS side, site_id, day, device, app, {{compared_measures}}
    FROM counts_device WHERE {{of_site}} AND day >= :first_day
    UNION ALL
    SELECT -1, site_id, at / 86400000 - 18262, device, app, {{summed_events}} FROM counted WHERE at >= :first_at
    GROUP BY 2, 3, 4, 5
)
SELECT count(*) OVER (), site_id, day, device, app,
    {{stored_and_counted}}
FROM entries
GROUP BY site_id, day, device, app
HAVING {{any_differs}}
ORDER BY site_id, day, device, app /*postgres COLLATE "C" */ LIMIT :most;
