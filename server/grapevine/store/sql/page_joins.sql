-- name: page_join_step
-- Returns the step at which the job is that joins pages.
SELECT version FROM versions WHERE name = 'page_joins';

-- name: set_page_join_step
-- Notes the step at which the job is that joins pages.
UPDATE versions SET version = :step WHERE name = 'page_joins';

-- name: pages_after
-- Returns the next pages of all sites in the order of their key.
SELECT site_id, page_id, cell, day, url, title FROM pages
WHERE (site_id, page_id, cell) > (:site_id, :page_id, :cell) ORDER BY site_id, page_id, cell LIMIT :limit;

-- name: insert_page_joins
-- Notes pages that are to be joined with others.
INSERT INTO page_joins (site_id, page_id, joined_id)
SELECT * FROM rows(site_id bigint, page_id bigint, joined_id bigint)
WHERE true
ON CONFLICT (site_id, page_id) DO NOTHING;

-- name: insert_joined_pages
-- Adds the pages with which others are joined. One that is there already was first seen when the first of them was.
INSERT INTO pages (site_id, page_id, cell, day, url, title)
SELECT * FROM rows(site_id bigint, page_id bigint, cell smallint, day bigint, url text, title text)
WHERE true
ON CONFLICT (site_id, page_id, cell) DO UPDATE SET
    day = CASE WHEN excluded.day < pages.day THEN excluded.day ELSE pages.day END,
    title = COALESCE(pages.title, excluded.title);

-- name: page_joins_after
-- Returns the next pages that are to be joined in the order of their key.
SELECT site_id, page_id, joined_id FROM page_joins
WHERE (site_id, page_id) > (:site_id, :page_id) ORDER BY site_id, page_id LIMIT :limit;

-- name: page_joins_of
-- Returns which of these pages are to be joined, and with which.
SELECT j.site_id, j.page_id, j.joined_id FROM rows(site_id bigint, page_id bigint)
/*sqlite CROSS */ JOIN page_joins j ON j.site_id = rows.site_id AND j.page_id = rows.page_id;

-- name: visits_of_pages
-- Returns some visits that began on these pages of a site.
SELECT v.site_id, v.visit_id, v.cell, v.page_id FROM visits v /*sqlite INDEXED BY visits_page */
WHERE v.site_id = :site_id AND v.page_id IN (SELECT page_id FROM rows(page_id bigint)) LIMIT :limit;

-- name: point_visits
-- Gives visits the page with which theirs is joined, unless they were erased meanwhile.
UPDATE visits SET page_id = rows.joined_id
FROM rows(site_id bigint, visit_id bigint, cell smallint, page_id bigint, joined_id bigint)
WHERE visits.site_id = rows.site_id AND visits.visit_id = rows.visit_id AND visits.cell = rows.cell
  AND visits.page_id = rows.page_id;

-- name: shares_after
-- Returns the next shares of all sites in the order of their key.
SELECT site_id, visit_id, cell, channel, n, page_id, url FROM shares
WHERE (site_id, visit_id, cell, channel, n) > (:site_id, :visit_id, :cell, :channel, :n)
ORDER BY site_id, visit_id, cell, channel, n LIMIT :limit;

-- name: point_shares
-- Gives shares the page with which theirs is joined, and the new spelling of an address of their own.
UPDATE shares SET page_id = rows.joined_id, url = rows.joined_url
FROM rows(site_id bigint, visit_id bigint, cell smallint, channel smallint, n smallint, page_id bigint, url text, joined_id bigint, joined_url text)
WHERE shares.site_id = rows.site_id AND shares.visit_id = rows.visit_id AND shares.cell = rows.cell
  AND shares.channel = rows.channel AND shares.n = rows.n AND shares.page_id = rows.page_id
  AND COALESCE(shares.url, '') = COALESCE(rows.url, '');

-- name: kept_shares_after
-- Returns the next shares that outlived their visits in the order of their key.
SELECT site_id, visit_id, cell, channel, n, page_id, url FROM kept_shares
WHERE (site_id, visit_id, cell, channel, n) > (:site_id, :visit_id, :cell, :channel, :n)
ORDER BY site_id, visit_id, cell, channel, n LIMIT :limit;

-- name: point_kept_shares
-- Gives shares that outlived their visits the page with which theirs is joined, and the new spelling of an address of their own.
UPDATE kept_shares SET page_id = rows.joined_id, url = rows.joined_url
FROM rows(site_id bigint, visit_id bigint, cell smallint, channel smallint, n smallint, page_id bigint, url text, joined_id bigint, joined_url text)
WHERE kept_shares.site_id = rows.site_id AND kept_shares.visit_id = rows.visit_id AND kept_shares.cell = rows.cell
  AND kept_shares.channel = rows.channel AND kept_shares.n = rows.n AND kept_shares.page_id = rows.page_id
  AND COALESCE(kept_shares.url, '') = COALESCE(rows.url, '');

-- name: cascades_after
-- Returns the next summaries of cascades in the order of their key.
SELECT site_id, root_id, cell, page_id FROM cascades
WHERE (site_id, root_id, cell) > (:site_id, :root_id, :cell) ORDER BY site_id, root_id, cell LIMIT :limit;

-- name: point_cascades
-- Gives summaries of cascades the page with which theirs is joined.
UPDATE cascades SET page_id = rows.joined_id
FROM rows(site_id bigint, root_id bigint, cell smallint, page_id bigint, joined_id bigint)
WHERE cascades.site_id = rows.site_id AND cascades.root_id = rows.root_id AND cascades.cell = rows.cell
  AND cascades.page_id = rows.page_id;

-- name: join_spikes
-- Adds the spikes of joined pages under the page that they become.
INSERT INTO spikes (site_id, page_id, started_at, last_at, returns, expected, peak)
SELECT s.site_id, j.joined_id, s.started_at, max(s.last_at), CAST(sum(s.returns) AS INTEGER), sum(s.expected),
    CAST(sum(s.peak) AS INTEGER)
FROM spikes s JOIN page_joins j ON j.site_id = s.site_id AND j.page_id = s.page_id
WHERE true
GROUP BY s.site_id, j.joined_id, s.started_at
ON CONFLICT (site_id, page_id, started_at) DO UPDATE SET
    last_at = CASE WHEN excluded.last_at > spikes.last_at THEN excluded.last_at ELSE spikes.last_at END,
    returns = spikes.returns + excluded.returns,
    expected = spikes.expected + excluded.expected,
    peak = spikes.peak + excluded.peak;

-- name: delete_joined_spikes
-- Deletes the spikes of joined pages.
DELETE FROM spikes
WHERE EXISTS (SELECT 1 FROM page_joins j WHERE j.site_id = spikes.site_id AND j.page_id = spikes.page_id);

-- name: counts_page_after
-- Returns the keys of the next counts by day and page.
SELECT site_id, day, page_id, cell FROM counts_page
WHERE (site_id, day, page_id, cell) > (:site_id, :day, :page_id, :cell)
ORDER BY site_id, day, page_id, cell LIMIT :limit;

-- name: take_counts_page
-- Deletes counts by day and page; returns them.
DELETE FROM counts_page
/*sqlite WHERE (site_id, day, page_id, cell) IN (SELECT * FROM rows(site_id bigint, day bigint, page_id bigint, cell smallint)) */
/*postgres USING rows(site_id bigint, day bigint, page_id bigint, cell smallint)
WHERE counts_page.site_id = rows.site_id AND counts_page.day = rows.day AND counts_page.page_id = rows.page_id
  AND counts_page.cell = rows.cell */
RETURNING counts_page.site_id, counts_page.day, counts_page.page_id, counts_page.cell, {{measures}};

-- name: counts_week_after
-- Returns the keys of the next counts by week and page.
SELECT site_id, week, page_id, cell FROM counts_week
WHERE (site_id, week, page_id, cell) > (:site_id, :week, :page_id, :cell)
ORDER BY site_id, week, page_id, cell LIMIT :limit;

-- name: take_counts_week
-- Deletes counts by week and page; returns them.
DELETE FROM counts_week
/*sqlite WHERE (site_id, week, page_id, cell) IN (SELECT * FROM rows(site_id bigint, week bigint, page_id bigint, cell smallint)) */
/*postgres USING rows(site_id bigint, week bigint, page_id bigint, cell smallint)
WHERE counts_week.site_id = rows.site_id AND counts_week.week = rows.week AND counts_week.page_id = rows.page_id
  AND counts_week.cell = rows.cell */
RETURNING counts_week.site_id, counts_week.week, counts_week.page_id, counts_week.cell, views, visits, returns, shares,
    proven, unlinked;

-- name: counts_shared_after
-- Returns the keys of the next counts of shares by page.
SELECT site_id, page_id, channel, cell FROM counts_shared
WHERE (site_id, page_id, channel, cell) > (:site_id, :page_id, :channel, :cell)
ORDER BY site_id, page_id, channel, cell LIMIT :limit;

-- name: take_counts_shared
-- Deletes counts of shares by page; returns them.
DELETE FROM counts_shared
/*sqlite WHERE (site_id, page_id, channel, cell) IN (SELECT * FROM rows(site_id bigint, page_id bigint, channel smallint, cell smallint)) */
/*postgres USING rows(site_id bigint, page_id bigint, channel smallint, cell smallint)
WHERE counts_shared.site_id = rows.site_id AND counts_shared.page_id = rows.page_id
  AND counts_shared.channel = rows.channel AND counts_shared.cell = rows.cell */
RETURNING counts_shared.site_id, counts_shared.page_id, counts_shared.channel, counts_shared.cell, shares;

-- name: deleted_counts_after
-- Returns the keys of the next counts of rows that were deleted.
SELECT site_id, hour, source, channel, depth, page_id, device, app, cell FROM deleted_counts
WHERE (site_id, hour, source, channel, depth, page_id, device, app /*postgres COLLATE "C" */, cell)
    > (:site_id, :hour, :source, :channel, :depth, :page_id, :device, :app, :cell)
ORDER BY site_id, hour, source, channel, depth, page_id, device, app /*postgres COLLATE "C" */, cell LIMIT :limit;

-- name: take_deleted_counts
-- Deletes counts of rows that were deleted; returns them.
DELETE FROM deleted_counts
/*sqlite WHERE (site_id, hour, source, channel, depth, page_id, device, app, cell) IN (SELECT * FROM rows(site_id bigint, hour bigint, source smallint, channel smallint, depth integer, page_id bigint, device smallint, app text, cell smallint)) */
/*postgres USING rows(site_id bigint, hour bigint, source smallint, channel smallint, depth integer, page_id bigint, device smallint, app text, cell smallint)
WHERE deleted_counts.site_id = rows.site_id AND deleted_counts.hour = rows.hour AND deleted_counts.source = rows.source
  AND deleted_counts.channel = rows.channel AND deleted_counts.depth = rows.depth
  AND deleted_counts.page_id = rows.page_id AND deleted_counts.device = rows.device AND deleted_counts.app = rows.app
  AND deleted_counts.cell = rows.cell */
RETURNING deleted_counts.site_id, deleted_counts.hour, deleted_counts.source, deleted_counts.channel,
    deleted_counts.depth, deleted_counts.page_id, deleted_counts.device, deleted_counts.app, deleted_counts.cell,
    views, shares, reported, proven, conversions, unfurls;

-- name: pages_of_keys
-- Returns those of these pages that are stored.
SELECT p.site_id, p.page_id, p.cell, p.day, p.url, p.title FROM rows(site_id bigint, page_id bigint, cell smallint)
/*sqlite CROSS */ JOIN pages p ON p.site_id = rows.site_id AND p.page_id = rows.page_id AND p.cell = rows.cell;

-- name: delete_joined_pages
-- Deletes pages that are joined.
DELETE FROM pages
/*sqlite WHERE (site_id, page_id, cell) IN (SELECT * FROM rows(site_id bigint, page_id bigint, cell smallint)) */
/*postgres USING rows(site_id bigint, page_id bigint, cell smallint)
WHERE pages.site_id = rows.site_id AND pages.page_id = rows.page_id AND pages.cell = rows.cell */;

-- name: delete_page_joins
-- Deletes notes on pages that are joined.
DELETE FROM page_joins
/*sqlite WHERE (site_id, page_id) IN (SELECT * FROM rows(site_id bigint, page_id bigint)) */
/*postgres USING rows(site_id bigint, page_id bigint)
WHERE page_joins.site_id = rows.site_id AND page_joins.page_id = rows.page_id */;
