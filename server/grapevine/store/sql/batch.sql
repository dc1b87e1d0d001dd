-- fragment: visit_columns
-- The columns of a stored visit, in the order of `rows.VisitRow`.
v.site_id, v.visit_id, v.cell, v.nonce_check, v.at, v.next_view, v.page_id, v.source, v.device, v.app, v.visitor,
v.channel, v.n, v.via_id, v.parent_id, v.root_id, v.depth, v.flags, v.reason, v.verdict, v.network,
v.evidence

-- fragment: conversion_columns
-- The columns of a conversion, in the order of `rows.ConversionRow`.
c.site_id, c.visit_id, c.cell, c.goal, c.event_key, c.external_id, c.at, c.value, c.currency, c.reported_by,
c.refund_of, c.refunded_key

-- fragment: measures
-- The columns that counts_hour, counts_day, counts_page and counts_device have in common.
views, visits, visitors, returns, self_returns, same_network, shares, reported, proven, conversions, unlinked, unfurls

-- fragment: typed_measures
-- The measures as columns of rows.
views bigint, visits bigint, visitors bigint, returns bigint, self_returns bigint, same_network bigint, shares bigint, reported bigint, proven bigint, conversions bigint, unlinked bigint, unfurls bigint

-- fragment: raise_measures
-- Adds the measures of a row to those of the stored row, in a table of counts with the alias `counts`.
views = counts.views + excluded.views,
visits = counts.visits + excluded.visits,
visitors = counts.visitors + excluded.visitors,
returns = counts.returns + excluded.returns,
self_returns = counts.self_returns + excluded.self_returns,
same_network = counts.same_network + excluded.same_network,
shares = counts.shares + excluded.shares,
reported = counts.reported + excluded.reported,
proven = counts.proven + excluded.proven,
conversions = counts.conversions + excluded.conversions,
unlinked = counts.unlinked + excluded.unlinked,
unfurls = counts.unfurls + excluded.unfurls

-- name: held_visits
-- Returns and locks the visits that a batch's returns, views, shares, conversions and answers name: one look-up a
-- batch. Batches of several processes take turns at them and at the cascades of their roots, always in the same order;
-- SQLite has one writer.
/*single WITH named AS MATERIALIZED (
    SELECT DISTINCT v.site_id, COALESCE(v.root_id, v.visit_id) AS root_id, v.cell
    FROM rows(site_id bigint, visit_id bigint, cell smallint)
    JOIN visits v ON v.site_id = rows.site_id AND v.visit_id = rows.visit_id AND v.cell = rows.cell
), held AS (
    SELECT r.visit_id
    FROM named
    JOIN visits r ON r.site_id = named.site_id AND r.visit_id = named.root_id AND r.cell = named.cell
    ORDER BY r.site_id, r.visit_id
    FOR NO KEY UPDATE OF r
) */
SELECT {{visit_columns}}
FROM rows(site_id bigint, visit_id bigint, cell smallint)
JOIN visits v ON v.site_id = rows.site_id AND v.visit_id = rows.visit_id AND v.cell = rows.cell
/*single WHERE (SELECT count(*) FROM held) >= 0
ORDER BY v.site_id, v.visit_id
FOR NO KEY UPDATE OF v */;

-- name: named_visits
-- Returns those of these visits that are stored.
SELECT {{visit_columns}}
FROM rows(site_id bigint, visit_id bigint, cell smallint)
JOIN visits v ON v.site_id = rows.site_id AND v.visit_id = rows.visit_id AND v.cell = rows.cell;

-- name: hold_cascades
-- Makes batches of several processes take turns at the cascades of these roots, where held_visits cannot: Citus takes
-- no lock over several shards, but an UPDATE that changes nothing.
/*citus UPDATE visits SET flags = visits.flags
FROM rows(site_id bigint, visit_id bigint, cell smallint)
WHERE visits.site_id = rows.site_id AND visits.visit_id = rows.visit_id AND visits.cell = rows.cell
RETURNING visits.site_id, visits.visit_id */;

-- name: insert_visits
-- Inserts visits; returns the ids of those that were new.
INSERT INTO visits (
    site_id, visit_id, cell, nonce_check, at, next_view, page_id, source, device, app, visitor,
    channel, n, via_id, parent_id, root_id, depth, flags, reason, verdict, network,
    evidence
)
SELECT * FROM rows(site_id bigint, visit_id bigint, cell smallint, nonce_check bigint, at bigint, next_view integer, page_id bigint, source smallint, device smallint, app text, visitor bigint, channel smallint, n smallint, via_id bigint, parent_id bigint, root_id bigint, depth integer, flags smallint, reason smallint, verdict smallint, network bigint, evidence smallint)
WHERE true
ON CONFLICT (site_id, visit_id, cell) DO NOTHING
RETURNING site_id, visit_id;

-- name: add_views
-- Adds page views to stored visits.
UPDATE visits SET next_view = visits.next_view + rows.views
FROM rows(site_id bigint, visit_id bigint, cell smallint, views integer)
WHERE visits.site_id = rows.site_id AND visits.visit_id = rows.visit_id AND visits.cell = rows.cell;

-- name: add_later_views
-- Adds page views to the hours behind the one in which their visits began.
INSERT INTO later_views (site_id, visit_id, cell, hour, views)
SELECT * FROM rows(site_id bigint, visit_id bigint, cell smallint, hour bigint, views integer)
WHERE true
ON CONFLICT (site_id, visit_id, cell, hour) DO UPDATE SET views = later_views.views + excluded.views;

-- name: known_pages
-- Returns those of these pages that are stored already.
SELECT p.site_id, p.page_id FROM rows(site_id bigint, page_id bigint, cell smallint)
JOIN pages p ON p.site_id = rows.site_id AND p.page_id = rows.page_id AND p.cell = rows.cell;

-- name: pages_of_day
-- Returns how many pages were seen for the first time on a day.
SELECT count(*) FROM pages WHERE site_id = :site_id AND day = :day;

-- name: known_names
-- Returns those of these goals and apps that are stored already.
SELECT n.site_id, n.kind, n.name FROM rows(site_id bigint, kind smallint, name text, cell smallint)
JOIN names n ON n.site_id = rows.site_id AND n.kind = rows.kind AND n.name = rows.name AND n.cell = rows.cell;

-- name: names_of_day
-- Returns how many names of a kind were invented on a day.
SELECT count(*) FROM names WHERE site_id = :site_id AND kind = :kind AND day = :day AND cell = :cell;

-- name: insert_names
-- Inserts goals and apps that count as themselves from now on.
INSERT INTO names (site_id, kind, name, cell, day)
SELECT * FROM rows(site_id bigint, kind smallint, name text, cell smallint, day bigint)
WHERE true
ON CONFLICT (site_id, kind, name, cell) DO NOTHING;

-- name: known_answers
-- Returns those of these answers that are stored already; `at` keeps PostgreSQL from reading a whole index for them.
SELECT a.site_id, a.visit_id, a.event_key, a.at
FROM rows(site_id bigint, visit_id bigint, cell smallint, event_key bigint)
JOIN answers a ON a.site_id = rows.site_id AND a.visit_id = rows.visit_id AND a.cell = rows.cell
  AND a.event_key = rows.event_key;

-- name: answers_between
-- Returns how many answers pages, or keys, have reported of a site in a period.
SELECT count(*) FROM answers WHERE site_id = :site_id AND at >= :start AND at < :end AND reported_by = :reported_by;

-- name: urls_of_shares
-- Returns the URLs that shares of some visits keep of their own.
SELECT DISTINCT s.site_id, s.visit_id, s.url
FROM rows(site_id bigint, visit_id bigint, cell smallint)
JOIN shares s ON s.site_id = rows.site_id AND s.visit_id = rows.visit_id AND s.cell = rows.cell
WHERE s.url IS NOT NULL;

-- name: insert_pages
-- Inserts pages, most of them stored already, and replaces titles that were corrected; a counter in front, "(3) Title", is
-- no correction. Of the titles in one batch the writer offers the last; of those in concurrent batches the one stays that
-- reaches the row last, which may be any of them.
INSERT INTO pages (site_id, page_id, cell, day, url, title)
SELECT * FROM rows(site_id bigint, page_id bigint, cell smallint, day bigint, url text, title text)
WHERE true
ON CONFLICT (site_id, page_id, cell) DO UPDATE SET title = excluded.title
WHERE excluded.title IS NOT NULL AND (pages.title IS NULL OR (
    excluded.title <> pages.title AND NOT (
        excluded.title LIKE '(%'
        AND substr(excluded.title, length(excluded.title) - length(pages.title) - 1) = ') ' || pages.title
    )
));

-- name: restore_pages
-- Inserts pages that were deleted by mistake; one that came back meanwhile keeps its title.
INSERT INTO pages (site_id, page_id, cell, day, url, title)
SELECT * FROM rows(site_id bigint, page_id bigint, cell smallint, day bigint, url text, title text)
WHERE true
ON CONFLICT (site_id, page_id, cell) DO NOTHING;

-- name: insert_guards
-- Inserts guards of events that must happen only once; returns those that are new.
INSERT INTO guards (site_id, kind, guard_key, cell, expires_at)
SELECT * FROM rows(site_id bigint, kind smallint, guard_key bigint, cell smallint, expires_at bigint)
WHERE true
ON CONFLICT (site_id, kind, guard_key, cell) DO NOTHING
RETURNING site_id, kind, guard_key;

-- name: click_guards
-- Returns the holders of those of these click ids that were seen before.
SELECT g.site_id, g.guard_key, g.holder
FROM rows(site_id bigint, kind smallint, guard_key bigint, cell smallint)
JOIN guards g ON g.site_id = rows.site_id AND g.kind = rows.kind AND g.guard_key = rows.guard_key AND g.cell = rows.cell;

-- name: insert_click_guards
-- Inserts guards of click ids with their holders; returns those that are new.
INSERT INTO guards (site_id, kind, guard_key, cell, expires_at, holder)
SELECT * FROM rows(site_id bigint, kind smallint, guard_key bigint, cell smallint, expires_at bigint, holder bigint)
WHERE true
ON CONFLICT (site_id, kind, guard_key, cell) DO NOTHING
RETURNING site_id, guard_key;

-- name: named_shares
-- Returns the stored columns of the shares in a batch.
SELECT
    s.site_id, s.visit_id, s.cell, s.channel, s.n, s.page_id, s.first_at, s.reported_at, s.proven_at, s.returns,
    s.self_returns, s.url, s.reported_by
FROM rows(site_id bigint, visit_id bigint, cell smallint, channel smallint, n smallint)
JOIN shares s ON s.site_id = rows.site_id AND s.visit_id = rows.visit_id AND s.cell = rows.cell
  AND s.channel = rows.channel AND s.n = rows.n;

-- name: put_shares
-- Inserts or updates the shares of a batch: sets times that were null, replaces the page and who named it, and adds
-- returns.
INSERT INTO shares (
    site_id, visit_id, cell, channel, n, page_id, first_at, reported_at, proven_at, returns, self_returns, url,
    reported_by
)
SELECT * FROM rows(site_id bigint, visit_id bigint, cell smallint, channel smallint, n smallint, page_id bigint, first_at bigint, reported_at bigint, proven_at bigint, returns integer, self_returns integer, url text, reported_by smallint)
WHERE true
ON CONFLICT (site_id, visit_id, cell, channel, n) DO UPDATE SET
    page_id = COALESCE(excluded.page_id, shares.page_id),
    first_at = COALESCE(shares.first_at, excluded.first_at),
    reported_at = COALESCE(shares.reported_at, excluded.reported_at),
    proven_at = COALESCE(shares.proven_at, excluded.proven_at),
    returns = shares.returns + excluded.returns,
    self_returns = shares.self_returns + excluded.self_returns,
    url = CASE WHEN excluded.reported_by IS NULL THEN shares.url ELSE excluded.url END,
    reported_by = COALESCE(excluded.reported_by, shares.reported_by);

-- name: insert_unfurls
-- Inserts fetches of a share's link by preview robots; returns those that are new for their app and hour.
INSERT INTO unfurls (site_id, visit_id, cell, channel, n, app, hour, at)
SELECT * FROM rows(site_id bigint, visit_id bigint, cell smallint, channel smallint, n smallint, app text, hour bigint, at bigint)
WHERE true
ON CONFLICT (site_id, visit_id, cell, channel, n, app, hour) DO NOTHING
RETURNING site_id, visit_id, cell, channel, n, app, hour;

-- name: conversion_guards
-- Returns who reported some conversions, and in which visit, as their guards say.
SELECT g.site_id, g.guard_key, g.reported_by, g.visit_id
FROM rows(site_id bigint, kind smallint, guard_key bigint, cell smallint)
JOIN guards g ON g.site_id = rows.site_id AND g.kind = rows.kind AND g.guard_key = rows.guard_key AND g.cell = rows.cell;

-- name: insert_conversion_guards
-- Inserts guards of conversions; returns those that are new.
INSERT INTO guards (site_id, kind, guard_key, cell, expires_at, reported_by, visit_id)
SELECT * FROM rows(site_id bigint, kind smallint, guard_key bigint, cell smallint, expires_at bigint, reported_by smallint, visit_id bigint)
WHERE true
ON CONFLICT (site_id, kind, guard_key, cell) DO NOTHING
RETURNING site_id, guard_key;

-- name: replace_conversion_guards
-- Turns guards of conversions that a page reported in one visit into guards of one that a key reported in another;
-- returns those that it found so.
UPDATE guards SET reported_by = 1, visit_id = rows.visit_id
FROM rows(site_id bigint, kind smallint, guard_key bigint, cell smallint, visit_id bigint, visit_before bigint)
WHERE guards.site_id = rows.site_id AND guards.kind = rows.kind AND guards.guard_key = rows.guard_key
  AND guards.cell = rows.cell AND guards.reported_by = 0
  AND (guards.visit_id = rows.visit_before OR (guards.visit_id IS NULL AND rows.visit_before IS NULL))
RETURNING guards.site_id, guards.guard_key;

-- name: move_conversion_guards
-- Says in guards of conversions that their rows are in another visit.
UPDATE guards SET visit_id = rows.visit_id
FROM rows(site_id bigint, kind smallint, guard_key bigint, cell smallint, visit_id bigint)
WHERE guards.site_id = rows.site_id AND guards.kind = rows.kind AND guards.guard_key = rows.guard_key
  AND guards.cell = rows.cell;

-- name: refundable
-- Returns some conversions with what is left of them: their value and that of their refunds. A goal of null is that of a
-- conversion that is not stored.
SELECT rows.site_id, rows.visit_id, rows.event_key,
    max(CASE WHEN c.event_key = rows.event_key THEN c.goal END),
    max(CASE WHEN c.event_key = rows.event_key THEN c.value END),
    max(CASE WHEN c.event_key = rows.event_key THEN c.currency END),
    max(CASE WHEN c.event_key = rows.event_key THEN c.reported_by END),
    max(CASE WHEN c.event_key = rows.event_key THEN c.refunded_key END),
    max(CASE WHEN c.event_key = rows.event_key THEN c.at END),
    CAST(sum(c.value) AS BIGINT)
FROM rows(site_id bigint, visit_id bigint, cell smallint, event_key bigint)
/*sqlite CROSS */ JOIN conversions c ON c.site_id = rows.site_id AND c.visit_id = rows.visit_id AND c.cell = rows.cell
WHERE c.event_key = rows.event_key OR c.refunded_key = rows.event_key
GROUP BY rows.site_id, rows.visit_id, rows.cell, rows.event_key;

-- name: take_refunds
-- Deletes the refunds of a conversion; returns them.
DELETE FROM conversions
WHERE cell = :cell AND site_id = :site_id AND visit_id = :visit_id AND refunded_key = :event_key
RETURNING site_id, visit_id, cell, goal, event_key, external_id, at, value, currency, reported_by, refund_of, refunded_key;

-- name: delete_conversion
-- Deletes the conversion of a visit that another report replaces; returns its time.
DELETE FROM conversions
WHERE cell = :cell AND site_id = :site_id AND visit_id = :visit_id AND event_key = :event_key
RETURNING at;

-- name: conversions_by_pages
-- Returns how many conversions pages have reported for some visits.
SELECT c.site_id, c.visit_id, count(*)
FROM rows(site_id bigint, visit_id bigint, cell smallint)
/*sqlite CROSS */ JOIN conversions c ON c.site_id = rows.site_id AND c.visit_id = rows.visit_id AND c.cell = rows.cell
WHERE c.reported_by = 0 AND c.refunded_key IS NULL GROUP BY c.site_id, c.visit_id;

-- name: insert_conversions
-- Inserts conversions; returns those that are new.
INSERT INTO conversions (
    site_id, visit_id, cell, goal, event_key, external_id, at, value, currency, reported_by, refund_of, refunded_key
)
SELECT * FROM rows(site_id bigint, visit_id bigint, cell smallint, goal text, event_key bigint, external_id text, at bigint, value bigint, currency text, reported_by smallint, refund_of text, refunded_key bigint)
WHERE true
ON CONFLICT (site_id, visit_id, cell, goal, event_key) DO NOTHING
RETURNING site_id, visit_id, event_key;

-- name: insert_answers
-- Inserts answers of visitors; returns those that are new.
INSERT INTO answers (
    site_id, visit_id, cell, event_key, at, text, contact, class, channel, rules, corrected, reported_by
)
SELECT * FROM rows(site_id bigint, visit_id bigint, cell smallint, event_key bigint, at bigint, text text, contact text, class text, channel smallint, rules smallint, corrected text, reported_by smallint)
WHERE true
ON CONFLICT (site_id, visit_id, cell, event_key) DO NOTHING
RETURNING site_id, visit_id, event_key;

-- name: grow_cascades
-- Raises the existing summaries of cascades; returns those, with what they are now.
UPDATE cascades SET
    size = cascades.size + rows.size,
    max_depth = CASE WHEN cascades.max_depth < rows.max_depth THEN rows.max_depth ELSE cascades.max_depth END,
    last_at = CASE WHEN cascades.last_at < rows.last_at THEN rows.last_at ELSE cascades.last_at END,
    shares = cascades.shares + rows.shares,
    conversions = cascades.conversions + rows.conversions
FROM rows(site_id bigint, root_id bigint, cell smallint, size bigint, max_depth integer, last_at bigint, shares bigint, conversions bigint)
WHERE cascades.site_id = rows.site_id AND cascades.root_id = rows.root_id AND cascades.cell = rows.cell
RETURNING cascades.site_id, cascades.root_id, cascades.size, cascades.max_depth, cascades.page_id,
    cascades.started_at;

-- name: start_cascades
-- Inserts the summary of a cascade at its first return: the root, the new visits, and its shares and conversions so
-- far. Returns as grow_cascades.
INSERT INTO cascades (
    site_id, root_id, cell, page_id, started_at, last_at, size, max_depth, shares, conversions
)
SELECT
    v.site_id, v.visit_id, v.cell, v.page_id, v.at, rows.last_at,
    rows.size + CASE WHEN v.source = 10 OR v.verdict IS NOT NULL OR (v.flags & 4) <> 0 THEN 0 ELSE 1 END, rows.max_depth,
    (SELECT count(*) FROM shares s
        WHERE s.site_id = v.site_id AND s.visit_id = v.visit_id AND s.cell = v.cell AND s.first_at IS NOT NULL
          AND v.source <> 10 AND v.verdict IS NULL)
    + (SELECT count(*)
        FROM visits w /*sqlite INDEXED BY visits_root */ /*sqlite CROSS */ JOIN shares s
          ON s.site_id = w.site_id AND s.visit_id = w.visit_id AND s.cell = w.cell
        WHERE w.site_id = v.site_id AND w.root_id = v.visit_id AND w.cell = v.cell AND s.first_at IS NOT NULL
          AND w.verdict IS NULL),
    (SELECT count(*) FROM conversions c
        WHERE c.site_id = v.site_id AND c.visit_id = v.visit_id AND c.cell = v.cell AND v.verdict IS NULL
          AND c.refunded_key IS NULL)
    + (SELECT count(*)
        FROM visits w /*sqlite INDEXED BY visits_root */ /*sqlite CROSS */ JOIN conversions c
          ON c.site_id = w.site_id AND c.visit_id = w.visit_id AND c.cell = w.cell
        WHERE w.site_id = v.site_id AND w.root_id = v.visit_id AND w.cell = v.cell AND w.verdict IS NULL
          AND c.refunded_key IS NULL)
FROM rows(site_id bigint, root_id bigint, cell smallint, size bigint, max_depth integer, last_at bigint)
JOIN visits v ON v.site_id = rows.site_id AND v.visit_id = rows.root_id AND v.cell = rows.cell
WHERE true
ON CONFLICT (site_id, root_id, cell) DO NOTHING
RETURNING site_id, root_id, size, max_depth, page_id, started_at;

-- name: raise_counts_hour
-- Raises the counts by hour, source, channel and depth.
INSERT INTO counts_hour AS counts (site_id, hour, source, channel, depth, cell, {{measures}})
SELECT * FROM rows(site_id bigint, hour bigint, source smallint, channel smallint, depth integer, cell smallint, {{typed_measures}})
WHERE true
ON CONFLICT (site_id, hour, source, channel, depth, cell) DO UPDATE SET {{raise_measures}};

-- name: raise_counts_day
-- Raises the counts by day and one of channel, source, depth and hour.
INSERT INTO counts_day AS counts (site_id, day, dimension, key, cell, {{measures}})
SELECT * FROM rows(site_id bigint, day bigint, dimension smallint, key integer, cell smallint, {{typed_measures}})
WHERE true
ON CONFLICT (site_id, day, dimension, key, cell) DO UPDATE SET {{raise_measures}};

-- name: raise_counts_page
-- Raises the counts by day and first page.
INSERT INTO counts_page AS counts (site_id, day, page_id, cell, {{measures}})
SELECT * FROM rows(site_id bigint, day bigint, page_id bigint, cell smallint, {{typed_measures}})
WHERE true
ON CONFLICT (site_id, day, page_id, cell) DO UPDATE SET {{raise_measures}};

-- name: raise_counts_week
-- Raises the counts by seven days and first page.
INSERT INTO counts_week (site_id, week, page_id, cell, views, visits, returns, shares, proven, unlinked)
SELECT * FROM rows(site_id bigint, week bigint, page_id bigint, cell smallint, views bigint, visits bigint, returns bigint, shares bigint, proven bigint, unlinked bigint)
WHERE true
ON CONFLICT (site_id, week, page_id, cell) DO UPDATE SET
    views = counts_week.views + excluded.views,
    visits = counts_week.visits + excluded.visits,
    returns = counts_week.returns + excluded.returns,
    shares = counts_week.shares + excluded.shares,
    proven = counts_week.proven + excluded.proven,
    unlinked = counts_week.unlinked + excluded.unlinked;

-- name: raise_counts_device
-- Raises the counts by day, device and app.
INSERT INTO counts_device AS counts (site_id, day, device, app, cell, {{measures}})
SELECT * FROM rows(site_id bigint, day bigint, device smallint, app text, cell smallint, {{typed_measures}})
WHERE true
ON CONFLICT (site_id, day, device, app, cell) DO UPDATE SET {{raise_measures}};

-- name: raise_counts_shared
-- Raises the counts of shares by shared page and channel.
INSERT INTO counts_shared (site_id, page_id, channel, cell, shares)
SELECT * FROM rows(site_id bigint, page_id bigint, channel smallint, cell smallint, shares bigint)
WHERE true
ON CONFLICT (site_id, page_id, channel, cell) DO UPDATE SET shares = counts_shared.shares + excluded.shares;

-- name: raise_bound_hits
-- Raises the counts of events beyond a bound by day and kind.
INSERT INTO bound_hits (site_id, day, kind, cell, events)
SELECT * FROM rows(site_id bigint, day bigint, kind smallint, cell smallint, events bigint)
WHERE true
ON CONFLICT (site_id, day, kind, cell) DO UPDATE SET events = bound_hits.events + excluded.events;

-- name: raise_drops
-- Raises the counts of refused events by hour and reason.
INSERT INTO drops (site_id, hour, reason, cell, drops)
SELECT * FROM rows(site_id bigint, hour bigint, reason text, cell smallint, drops bigint)
WHERE true
ON CONFLICT (site_id, hour, reason, cell) DO UPDATE SET drops = drops.drops + excluded.drops;
