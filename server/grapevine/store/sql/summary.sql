-- fragment: total_value
-- The value of conversions in whole units and millionths (`money.joined`): a sum of millionths may not fit 64 bits.
CAST(sum(c.value / 1000000) AS BIGINT), CAST(sum(c.value % 1000000) AS BIGINT)

-- fragment: summed_measures
-- The sums of the measures of a table of counts, in the order of `rows.Counts`.
CAST(sum(views) AS BIGINT), CAST(sum(visits) AS BIGINT), CAST(sum(visitors) AS BIGINT),
CAST(sum(returns) AS BIGINT), CAST(sum(self_returns) AS BIGINT), CAST(sum(same_network) AS BIGINT),
CAST(sum(shares) AS BIGINT), CAST(sum(reported) AS BIGINT), CAST(sum(proven) AS BIGINT),
CAST(sum(conversions) AS BIGINT), CAST(sum(unlinked) AS BIGINT), CAST(sum(unfurls) AS BIGINT)

-- fragment: key_and_word
-- What visits are grouped by: a number, or a word for an app.
CASE CAST(:by AS TEXT)
    WHEN 'channel' THEN COALESCE(v.channel, -1) WHEN 'page' THEN v.page_id WHEN 'source' THEN v.source
    WHEN 'depth' THEN CASE WHEN v.depth < 63 THEN v.depth ELSE 63 END WHEN 'device' THEN v.device
    WHEN 'hour' THEN v.at / 3600000 WHEN 'day' THEN v.at / 86400000 - 18262
END AS key,
CASE CAST(:by AS TEXT) WHEN 'app' THEN COALESCE(v.app, '') END AS word

-- fragment: visit_filters
-- The filters of a scope, each of them only if given.
(CAST(:page_id AS BIGINT) IS NULL OR v.page_id = :page_id)
AND (CAST(:channel AS SMALLINT) IS NULL OR v.channel = :channel)
AND (CAST(:source AS SMALLINT) IS NULL OR v.source = :source)
AND (CAST(:device AS SMALLINT) IS NULL OR v.device = :device)
AND (CAST(:app AS TEXT) IS NULL OR v.app = :app)

-- name: counts_hour_by
-- Returns the counts of a period by hour, day, source, arrival channel or depth, filtered by one source or channel if
-- given; for shares also by the family of their channel.
SELECT
    CASE CAST(:by AS TEXT)
        WHEN 'channel' THEN channel WHEN 'source' THEN source WHEN 'depth' THEN depth
        WHEN 'hour' THEN hour WHEN 'day' THEN hour / 24 - 18262
    END AS key,
    CASE CAST(:split AS TEXT) WHEN 'family' THEN CASE WHEN channel < 32 THEN 'dark' ELSE 'public' END END AS word,
    {{summed_measures}}
FROM counts_hour
WHERE site_id = :site_id AND hour >= :from_hour AND hour < :to_hour
  AND (CAST(:channel AS SMALLINT) IS NULL OR channel = :channel)
  AND (CAST(:source AS SMALLINT) IS NULL OR source = :source)
GROUP BY 1, 2;

-- name: counts_day_by
-- Returns the counts of a period by day, by hour, or by the keys of one dimension, filtered by one key of it if given; for
-- shares, where that dimension is the channel, also by its family.
SELECT
    CASE CAST(:by AS TEXT) WHEN 'day' THEN day WHEN 'hour' THEN (day + 18262) * 24 + key ELSE key END AS key,
    CASE CAST(:split AS TEXT) WHEN 'family' THEN CASE WHEN key < 32 THEN 'dark' ELSE 'public' END END AS word,
    {{summed_measures}}
FROM counts_day
WHERE site_id = :site_id AND day >= :from_day AND day < :to_day AND dimension = :dimension
  AND (CAST(:key AS INTEGER) IS NULL OR key = :key)
GROUP BY 1, 2;

-- name: counts_page_by
-- Returns the counts of a period by day or first page, filtered by one page if given.
SELECT
    CASE CAST(:by AS TEXT) WHEN 'page' THEN page_id WHEN 'day' THEN day END AS key,
    NULL AS word,
    {{summed_measures}}
FROM counts_page
WHERE site_id = :site_id AND day >= :from_day AND day < :to_day
  AND (CAST(:page_id AS BIGINT) IS NULL OR page_id = :page_id)
GROUP BY 1, 2;

-- fragment: page_score
-- What pages are ordered by, the largest first: their visits and shares, or nothing where `sort` is the key alone.
CASE CAST(:sort AS TEXT) WHEN 'top' THEN CAST(sum(visits) + sum(unlinked) + sum(shares) AS BIGINT) ELSE 0 END

-- name: counts_of_pages
-- Returns the pages of a period in order of their visits and shares, or of their keys, from behind a position in this
-- order, with the columns of a breakdown: whole weeks from the weekly counts; the days at either end are added, or subtracted, by day
-- (`readers.summary.weeks_of`).
SELECT page_id, CAST(sum(views) AS BIGINT), CAST(sum(visits) AS BIGINT), CAST(sum(returns) AS BIGINT),
    CAST(sum(shares) AS BIGINT), CAST(sum(proven) AS BIGINT), CAST(sum(unlinked) AS BIGINT)
FROM (
    SELECT page_id, views, visits, returns, shares, proven, unlinked FROM counts_week
    WHERE site_id = :site_id AND week >= :from_week AND week < :to_week
      AND (CAST(:page_id AS BIGINT) IS NULL OR page_id = :page_id)
    UNION ALL
    SELECT page_id, views * CAST(:front_sign AS BIGINT), visits * CAST(:front_sign AS BIGINT),
        returns * CAST(:front_sign AS BIGINT), shares * CAST(:front_sign AS BIGINT),
        proven * CAST(:front_sign AS BIGINT), unlinked * CAST(:front_sign AS BIGINT)
    FROM counts_page
    WHERE site_id = :site_id AND day >= :front_from AND day < :front_to
      AND (CAST(:page_id AS BIGINT) IS NULL OR page_id = :page_id)
    UNION ALL
    SELECT page_id, views * CAST(:back_sign AS BIGINT), visits * CAST(:back_sign AS BIGINT),
        returns * CAST(:back_sign AS BIGINT), shares * CAST(:back_sign AS BIGINT),
        proven * CAST(:back_sign AS BIGINT), unlinked * CAST(:back_sign AS BIGINT)
    FROM counts_page
    WHERE site_id = :site_id AND day >= :back_from AND day < :back_to
      AND (CAST(:page_id AS BIGINT) IS NULL OR page_id = :page_id)
) AS counted
GROUP BY page_id
HAVING (sum(views) <> 0 OR sum(visits) <> 0 OR sum(shares) <> 0 OR sum(unlinked) <> 0)
  AND ({{page_score}} < :score OR ({{page_score}} = :score AND page_id > :after_page))
ORDER BY {{page_score}} DESC, page_id LIMIT :limit;

-- name: counted_pages
-- Returns those of some pages that have counts in a period.
SELECT page_id FROM counts_page
WHERE site_id = :site_id AND day >= :from_day AND day < :to_day
  AND page_id IN (SELECT page_id FROM rows(page_id bigint))
GROUP BY page_id
HAVING sum(views) <> 0 OR sum(visits) <> 0 OR sum(shares) <> 0 OR sum(unlinked) <> 0;

-- name: counts_device_by
-- Returns the counts of a period by day, device or app, filtered by one device and one app if given.
SELECT
    CASE CAST(:by AS TEXT) WHEN 'device' THEN device WHEN 'day' THEN day END AS key,
    CASE CAST(:by AS TEXT) WHEN 'app' THEN app END AS word,
    {{summed_measures}}
FROM counts_device
WHERE site_id = :site_id AND day >= :from_day AND day < :to_day
  AND (CAST(:device AS SMALLINT) IS NULL OR device = :device)
  AND (CAST(:app AS TEXT) IS NULL OR app = :app)
GROUP BY 1, 2;

-- name: visits_by
-- Returns visits of a period from their rows, for filters that no table of counts combines. An id's day is the
-- browser's and may differ from the server's by one, so the range of ids is a day wider on each side. Minted links are
-- not visits, and visits with a verdict are counted nowhere.
SELECT
    {{key_and_word}},
    CAST(sum(v.views) AS BIGINT), count(*),
    sum(CASE WHEN v.parent_id IS NOT NULL AND (v.flags & 1) = 0 THEN 1 ELSE 0 END),
    sum(CASE WHEN (v.flags & 1) <> 0 THEN 1 ELSE 0 END),
    sum(CASE WHEN v.parent_id IS NOT NULL AND (v.flags & 3) = 2 THEN 1 ELSE 0 END)
FROM visits v
WHERE v.site_id = :site_id
  AND v.visit_id >= :from_id AND v.visit_id < :to_id AND v.at >= :start AND v.at < :end
  AND v.source <> 10 AND (v.flags & 4) = 0 AND v.verdict IS NULL
  AND {{visit_filters}}
GROUP BY 1, 2;

-- name: visits_of_page_by
-- Returns the same as visits_by for the visits that began on one page, through the index on pages.
SELECT
    {{key_and_word}},
    CAST(sum(v.views) AS BIGINT), count(*),
    sum(CASE WHEN v.parent_id IS NOT NULL AND (v.flags & 1) = 0 THEN 1 ELSE 0 END),
    sum(CASE WHEN (v.flags & 1) <> 0 THEN 1 ELSE 0 END),
    sum(CASE WHEN v.parent_id IS NOT NULL AND (v.flags & 3) = 2 THEN 1 ELSE 0 END)
FROM visits v /*sqlite INDEXED BY visits_page */
WHERE v.site_id = :site_id AND v.page_id = :page_id
  AND (v.at / 86400000) >= :from_unix_day AND (v.at / 86400000) < :to_unix_day AND v.at >= :start AND v.at < :end
  AND v.source <> 10 AND (v.flags & 4) = 0 AND v.verdict IS NULL
  AND (CAST(:channel AS SMALLINT) IS NULL OR v.channel = :channel)
  AND (CAST(:source AS SMALLINT) IS NULL OR v.source = :source)
  AND (CAST(:device AS SMALLINT) IS NULL OR v.device = :device)
  AND (CAST(:app AS TEXT) IS NULL OR v.app = :app)
GROUP BY 1, 2;

-- name: visitors_by
-- Returns the daily distinct visitors of a period, each counted under the first visit of the visitor's day. SQLite
-- sorts only the days of visitors with a visit that passes the filters; PostgreSQL would underestimate their number and
-- compare each visit with each.
SELECT
    {{key_and_word}},
    count(*)
FROM (
    SELECT v.page_id, v.channel, v.source, v.device, v.app, v.depth, v.at,
        row_number() OVER (PARTITION BY v.at / 86400000, v.visitor ORDER BY v.at, v.visit_id) AS place
    FROM visits v
    WHERE v.site_id = :site_id /*sqlite AND v.visitor IN (
        SELECT v.visitor FROM visits v
        WHERE v.site_id = :site_id AND v.visitor IS NOT NULL
            AND v.visit_id >= :from_id AND v.visit_id < :to_id AND v.at >= :start AND v.at < :end
            AND v.source <> 10 AND (v.flags & 4) = 0 AND v.verdict IS NULL
            AND {{visit_filters}}
    ) */ /*postgres AND v.visitor IS NOT NULL */
      AND v.visit_id >= :from_id AND v.visit_id < :to_id AND v.at >= :start AND v.at < :end
      AND v.source <> 10 AND (v.flags & 4) = 0 AND v.verdict IS NULL
) AS v
WHERE v.place = 1
  AND {{visit_filters}}
GROUP BY 1, 2;

-- name: shares_by
-- Returns shares first seen in a period from their rows; `channel` is the share's, everything else the sharing visit's.
-- By time they are split by the family of the channel, too, if asked for.
-- Visits are looked up row by row: PostgreSQL would rather read all visits once than find those of a month.
SELECT
    CASE CAST(:by AS TEXT)
        WHEN 'channel' THEN COALESCE(s.channel, -1) WHEN 'page' THEN v.page_id WHEN 'source' THEN v.source
        WHEN 'depth' THEN CASE WHEN v.depth < 63 THEN v.depth ELSE 63 END WHEN 'device' THEN v.device
        WHEN 'hour' THEN s.first_at / 3600000 WHEN 'day' THEN s.first_at / 86400000 - 18262
    END AS key,
    CASE WHEN CAST(:by AS TEXT) = 'app' THEN COALESCE(v.app, '')
        WHEN CAST(:split AS TEXT) = 'family' THEN CASE WHEN s.channel < 32 THEN 'dark' ELSE 'public' END
    END AS word,
    count(*),
    sum(CASE WHEN s.reported_at IS NULL THEN 0 ELSE 1 END),
    sum(CASE WHEN s.proven_at IS NULL THEN 0 ELSE 1 END)
FROM shares s
/*sqlite JOIN visits v ON v.site_id = s.site_id AND v.visit_id = s.visit_id AND v.cell = s.cell AND v.verdict IS NULL */
/*postgres JOIN LATERAL (
    SELECT v.cell, v.page_id, v.source, v.channel, v.depth, v.device, v.app FROM visits v
    WHERE v.site_id = s.site_id AND v.visit_id = s.visit_id AND v.cell = s.cell AND v.verdict IS NULL GROUP BY 1, 2, 3, 4, 5, 6, 7
) AS v ON v.cell = s.cell */
WHERE s.site_id = :site_id AND s.visit_id < :to_id AND s.first_at >= :start AND s.first_at < :end
  AND (CAST(:page_id AS BIGINT) IS NULL OR v.page_id = :page_id)
  AND (CAST(:channel AS SMALLINT) IS NULL OR s.channel = :channel)
  AND (CAST(:source AS SMALLINT) IS NULL OR v.source = :source)
  AND (CAST(:device AS SMALLINT) IS NULL OR v.device = :device)
  AND (CAST(:app AS TEXT) IS NULL OR v.app = :app)
GROUP BY 1, 2;

-- name: unfurls_by
-- Returns unfurls of a period from their rows, by their app too; `channel` is the share's, everything else the sharing
-- visit's.
SELECT
    CASE CAST(:by AS TEXT)
        WHEN 'hour' THEN u.at / 3600000 WHEN 'day' THEN u.at / 86400000 - 18262
    END AS key,
    u.app AS word,
    count(*)
FROM unfurls u
/*sqlite JOIN visits v ON v.site_id = u.site_id AND v.visit_id = u.visit_id AND v.cell = u.cell */
/*postgres JOIN LATERAL (
    SELECT v.cell, v.page_id, v.source, v.channel, v.depth, v.device, v.app FROM visits v
    WHERE v.site_id = u.site_id AND v.visit_id = u.visit_id AND v.cell = u.cell GROUP BY 1, 2, 3, 4, 5, 6, 7
) AS v ON v.cell = u.cell */
WHERE u.site_id = :site_id AND u.visit_id < :to_id AND u.at >= :start AND u.at < :end
  AND (CAST(:page_id AS BIGINT) IS NULL OR v.page_id = :page_id)
  AND (CAST(:channel AS SMALLINT) IS NULL OR u.channel = :channel)
  AND (CAST(:source AS SMALLINT) IS NULL OR v.source = :source)
  AND (CAST(:device AS SMALLINT) IS NULL OR v.device = :device)
  AND (CAST(:app AS TEXT) IS NULL OR v.app = :app)
GROUP BY 1, 2;

-- name: conversions_by
-- Returns the conversions of a period with their value, by who reported them and by currency too: whole units and
-- millionths (`money.joined`). Everything else is the converting visit's.
SELECT
    CASE CAST(:by AS TEXT)
        WHEN 'channel' THEN COALESCE(v.channel, -1) WHEN 'page' THEN v.page_id WHEN 'source' THEN v.source
        WHEN 'depth' THEN CASE WHEN v.depth < 63 THEN v.depth ELSE 63 END WHEN 'device' THEN v.device
        WHEN 'hour' THEN c.at / 3600000 WHEN 'day' THEN c.at / 86400000 - 18262
    END AS key,
    CASE CAST(:by AS TEXT) WHEN 'app' THEN COALESCE(v.app, '') END AS word,
    c.reported_by, c.currency, count(*) - count(c.refunded_key), {{total_value}}
FROM conversions c
/*sqlite JOIN visits v ON v.site_id = c.site_id AND v.visit_id = c.visit_id AND v.cell = c.cell AND v.verdict IS NULL */
/*postgres JOIN LATERAL (
    SELECT v.cell, v.page_id, v.source, v.channel, v.depth, v.device, v.app FROM visits v
    WHERE v.site_id = c.site_id AND v.visit_id = c.visit_id AND v.cell = c.cell AND v.verdict IS NULL GROUP BY 1, 2, 3, 4, 5, 6, 7
) AS v ON v.cell = c.cell */
WHERE c.site_id = :site_id AND c.at >= :start AND c.at < :end
  AND {{visit_filters}}
GROUP BY 1, 2, 3, 4;

-- name: unfurls_by_app
-- Returns the unfurls of a period by app, from the counts.
SELECT app, CAST(sum(unfurls) AS BIGINT) FROM counts_device
WHERE site_id = :site_id AND day >= :from_day AND day < :to_day AND unfurls <> 0
GROUP BY app ORDER BY app /*postgres COLLATE "C" */;

-- name: refused_and_bounded
-- Returns what a period refused by reason (`bound` 0), and the events that exceeded a bound, by its kind (1); both by day,
-- refusals by hour, too.
SELECT
    CASE CAST(:by AS TEXT) WHEN 'hour' THEN hour WHEN 'day' THEN hour / 24 - 18262 END AS key,
    0 AS bound, reason AS name, CAST(sum(drops) AS BIGINT)
FROM drops
WHERE site_id = :site_id AND hour >= :from_hour AND hour < :to_hour
GROUP BY 1, reason
UNION ALL
SELECT CASE CAST(:by AS TEXT) WHEN 'day' THEN day END, 1, CAST(kind AS TEXT), CAST(sum(events) AS BIGINT)
FROM bound_hits
WHERE site_id = :site_id AND day >= :from_day AND day < :to_day
GROUP BY 1, kind;

-- name: goals_by
-- Returns the goals of a period, the most frequent first, with the number of their conversions and of all goals.
-- Everything but the goal is the visit's.
SELECT goal, times, count(*) OVER () FROM (
    SELECT c.goal, count(*) - count(c.refunded_key) AS times
    FROM conversions c
    /*sqlite JOIN visits v ON v.site_id = c.site_id AND v.visit_id = c.visit_id AND v.cell = c.cell */
    /*postgres JOIN LATERAL (
        SELECT v.cell, v.page_id, v.source, v.channel, v.device, v.app, v.verdict FROM visits v
        WHERE v.site_id = c.site_id AND v.visit_id = c.visit_id AND v.cell = c.cell GROUP BY 1, 2, 3, 4, 5, 6, 7
    ) AS v ON v.cell = c.cell */
    WHERE c.site_id = :site_id AND c.at >= :start AND c.at < :end AND v.verdict IS NULL
      AND {{visit_filters}}
    GROUP BY c.goal
) AS goals
ORDER BY times DESC, goal /*postgres COLLATE "C" */ LIMIT :limit;

-- name: goal_values
-- Returns the value of the conversions of some goals in a period by currency: whole units and millionths
-- (`money.joined`). Everything but the goal is the visit's.
SELECT c.goal, c.currency, {{total_value}}
FROM conversions c
/*sqlite JOIN visits v ON v.site_id = c.site_id AND v.visit_id = c.visit_id AND v.cell = c.cell */
/*postgres JOIN LATERAL (
    SELECT v.cell, v.page_id, v.source, v.channel, v.device, v.app, v.verdict FROM visits v
    WHERE v.site_id = c.site_id AND v.visit_id = c.visit_id AND v.cell = c.cell GROUP BY 1, 2, 3, 4, 5, 6, 7
) AS v ON v.cell = c.cell */
WHERE c.site_id = :site_id AND c.at >= :start AND c.at < :end AND v.verdict IS NULL
  AND {{visit_filters}} AND c.goal IN (SELECT goal FROM rows(goal text))
  AND c.reported_by >= :least_reporter
GROUP BY c.goal, c.currency;

-- name: suspects_by
-- Returns the visits of a period that a verdict took out of every count, by verdict, through the index of visits with a
-- verdict.
SELECT
    CASE CAST(:by AS TEXT) WHEN 'hour' THEN v.at / 3600000 WHEN 'day' THEN v.at / 86400000 - 18262 END AS key,
    v.verdict, count(*)
FROM visits v /*sqlite INDEXED BY visits_verdict */
WHERE v.site_id = :site_id AND v.at >= :start AND v.at < :end AND v.verdict IS NOT NULL AND (v.flags & 4) = 0
  AND {{visit_filters}}
GROUP BY 1, v.verdict;
