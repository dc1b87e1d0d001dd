-- name: visit_to_erase
-- Returns one visit.
SELECT {{visit_columns}} FROM visits v WHERE v.cell = :cell AND v.site_id = :site_id AND v.visit_id = :visit_id;

-- name: counted_visits_of_visitor
-- Returns the first visits of a visitor on a day that count. An id's day is the browser's and may differ from the
-- server's by one.
SELECT {{visit_columns}} FROM visits v
WHERE v.site_id = :site_id AND v.visit_id >= :from_id AND v.visit_id < :to_id AND v.at >= :start AND v.at < :end
  AND v.verdict IS NULL AND v.visitor = :visitor
ORDER BY v.at, v.visit_id LIMIT :limit;

-- name: take_shares
-- Deletes the shares of a visit; returns them.
DELETE FROM shares WHERE cell = :cell AND site_id = :site_id AND visit_id = :visit_id
RETURNING site_id, visit_id, cell, channel, n, page_id, first_at, reported_at, proven_at, returns, self_returns, url,
    reported_by;

-- name: take_unfurls
-- Deletes the link previews of a visit's shares; returns them.
DELETE FROM unfurls WHERE cell = :cell AND site_id = :site_id AND visit_id = :visit_id RETURNING app, at;

-- name: take_conversions
-- Deletes the conversions of a visit; returns them, and of refunds, what they took back.
DELETE FROM conversions WHERE cell = :cell AND site_id = :site_id AND visit_id = :visit_id
RETURNING event_key, at, refunded_key;

-- name: take_later_views
-- Deletes the views of a visit in later hours; returns them.
DELETE FROM later_views WHERE cell = :cell AND site_id = :site_id AND visit_id = :visit_id RETURNING hour, views;

-- name: delete_kept_shares
-- Deletes where the links of a visit lead that is past retention; returns them.
DELETE FROM kept_shares WHERE cell = :cell AND site_id = :site_id AND visit_id = :visit_id RETURNING channel, n;

-- name: delete_answers_of_visit
-- Deletes the answers of a visit.
DELETE FROM answers WHERE cell = :cell AND site_id = :site_id AND visit_id = :visit_id;

-- fragment: deliveries_naming
-- The events on their way to a site's webhooks, and those that were sent, whose payload names one of some visits.
SELECT d.delivery_id FROM rows(site_id bigint, visit_id bigint)
/*sqlite CROSS */ JOIN deliveries d ON d.visit_id = rows.visit_id AND d.site_id = rows.site_id
UNION ALL
SELECT d.delivery_id FROM rows(site_id bigint, visit_id bigint)
/*sqlite CROSS */ JOIN deliveries d ON d.via_id = rows.visit_id AND d.site_id = rows.site_id
UNION ALL
SELECT d.delivery_id FROM rows(site_id bigint, visit_id bigint)
/*sqlite CROSS */ JOIN deliveries d ON d.link_id = rows.visit_id AND d.site_id = rows.site_id

-- name: delete_some_deliveries_of_visits
-- Deletes at most `limit` events that name some visits; returns them.
DELETE FROM deliveries WHERE delivery_id IN (
    SELECT named.delivery_id FROM ({{deliveries_naming}}) AS named LIMIT :limit
) RETURNING delivery_id;

-- name: delete_deliveries_of_visits
-- Deletes the events that name some visits.
DELETE FROM deliveries WHERE delivery_id IN ({{deliveries_naming}});

-- name: make_stub
-- Leaves of a visit its position in the tree: `flags` 4 erased, 1 where it stood aside, which decides where the
-- visits through its shares hang, and 8 where a log showed it, so that its line is known to be read. `nonce_check` stays,
-- so that a late retry does not store it anew.
UPDATE visits SET
    at = :at, next_view = 1, page_id = 0, source = 0, device = 0, app = NULL, visitor = NULL, channel = NULL, n = NULL,
    via_id = NULL, flags = (flags & 9) | 4, reason = NULL, verdict = NULL, network = NULL,
    evidence = NULL
WHERE cell = :cell AND site_id = :site_id AND visit_id = :visit_id;

-- name: summary_of_cascade
-- Returns the size of a cascade, its depth and the time of its last return, if it has a summary.
SELECT size, max_depth, last_at FROM cascades WHERE cell = :cell AND site_id = :site_id AND root_id = :root_id;

-- name: forget_root_of_cascade
-- Removes from a cascade's summary what it says of its first visit.
UPDATE cascades SET page_id = 0, started_at = :at WHERE cell = :cell AND site_id = :site_id AND root_id = :root_id;

-- name: page_to_delete
-- Returns the day on which a page was first seen.
SELECT day FROM pages WHERE cell = :cell AND site_id = :site_id AND page_id = :page_id;

-- name: shares_of_any_channel
-- Returns how many shares count under a page.
SELECT COALESCE(sum(shares), 0) FROM counts_shared WHERE site_id = :site_id AND page_id = :page_id;

-- name: views_in_weeks
-- Returns how many views of visits that began on a page are counted in some weeks, visits without a row included.
SELECT COALESCE(sum(c.views), 0)
FROM counts_week c
WHERE c.site_id = :site_id AND c.week IN (SELECT rows.week FROM rows(week bigint)) AND c.page_id = :page_id;

-- name: visits_on_page
-- Returns a visit that began on a page, or that of a minted link to it; only asked when nothing counts under it.
SELECT v.visit_id FROM visits v /*sqlite INDEXED BY visits_page */
WHERE v.page_id = :page_id AND v.site_id = :site_id LIMIT 1;

-- name: delete_page
-- Deletes a page; returns it.
DELETE FROM pages WHERE cell = :cell AND site_id = :site_id AND page_id = :page_id
RETURNING site_id, page_id, cell, day, url, title;

-- name: delete_empty_counts_page
-- Deletes the rows of a deleted page on some days in which nothing is counted any more: they have a hash of its URL.
DELETE FROM counts_page
WHERE site_id = :site_id AND page_id = :page_id AND day IN (SELECT rows.day FROM rows(day bigint))
  AND views = 0 AND visits = 0 AND visitors = 0 AND returns = 0 AND self_returns = 0 AND same_network = 0
  AND shares = 0 AND reported = 0 AND proven = 0 AND conversions = 0 AND unlinked = 0 AND unfurls = 0;

-- name: delete_empty_counts_week
-- Deletes the rows of a deleted page in some weeks in which nothing is counted any more.
DELETE FROM counts_week
WHERE site_id = :site_id AND page_id = :page_id AND week IN (SELECT rows.week FROM rows(week bigint))
  AND views = 0 AND visits = 0 AND returns = 0 AND shares = 0 AND proven = 0 AND unlinked = 0;

-- name: delete_empty_counts_shared
-- Deletes the rows of a deleted page in which no share is counted any more.
DELETE FROM counts_shared WHERE site_id = :site_id AND page_id = :page_id AND shares = 0;

-- name: announce_erasure
-- Raises the number that makes every process drop what it remembers to be stored.
UPDATE versions SET version = version + 1 WHERE name = 'erasures';
