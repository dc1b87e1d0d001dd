-- name: horizon
-- Returns the first day that is kept; no row where nothing was ever deleted.
SELECT day FROM retention WHERE name = 'horizon';

-- name: raise_horizon
-- Raises the first day that is kept; it never falls, since what was deleted does not come back.
INSERT INTO retention (name, day) VALUES ('horizon', :day)
ON CONFLICT (name) DO UPDATE SET day = excluded.day WHERE retention.day < excluded.day;

-- name: next_site_with_visits
-- Returns the first site behind another one that has visits, and its oldest visit.
SELECT site_id, visit_id FROM visits WHERE site_id > :site_id ORDER BY site_id, visit_id LIMIT 1;

-- name: oldest_visits
-- Returns the oldest visits of a site before a day and behind a visit: ids begin with the day. Nodes of minted links that
-- have not expired are marked, since they stay.
SELECT v.site_id, v.visit_id, v.cell,
    CASE WHEN l.visit_id IS NULL OR l.expires_at <= :now THEN 0 ELSE 1 END
FROM visits v LEFT JOIN links l
  ON v.source = 10 AND l.site_id = v.site_id AND l.visit_id = v.visit_id AND l.cell = v.cell
WHERE v.site_id = :site_id AND v.visit_id > :behind AND v.visit_id < :to_id ORDER BY v.visit_id LIMIT :limit;

-- name: shares_of_visits
-- Returns all shares of some visits.
SELECT s.site_id, s.visit_id, s.cell, s.channel, s.n, s.page_id, s.url, s.first_at, s.reported_at, s.proven_at,
    s.reported_by, s.followed
FROM rows(site_id bigint, visit_id bigint, cell smallint)
/*sqlite CROSS */ JOIN shares s ON s.site_id = rows.site_id AND s.visit_id = rows.visit_id AND s.cell = rows.cell;

-- name: unfurls_of_visits
-- Returns the unfurls of some visits' shares.
SELECT u.site_id, u.visit_id, u.channel, u.n, u.app, u.at
FROM rows(site_id bigint, visit_id bigint, cell smallint)
/*sqlite CROSS */ JOIN unfurls u ON u.site_id = rows.site_id AND u.visit_id = rows.visit_id AND u.cell = rows.cell;

-- name: conversions_of_visits
-- Returns when some visits converted, and the keys of the guards; of refunds, what they took back.
SELECT c.site_id, c.visit_id, c.event_key, c.at, c.refunded_key
FROM rows(site_id bigint, visit_id bigint, cell smallint)
/*sqlite CROSS */ JOIN conversions c ON c.site_id = rows.site_id AND c.visit_id = rows.visit_id AND c.cell = rows.cell;

-- name: mark_followed
-- Marks shares whose short link was followed.
UPDATE shares SET followed = 1
FROM rows(site_id bigint, visit_id bigint, cell smallint, channel smallint, n smallint)
WHERE shares.site_id = rows.site_id AND shares.visit_id = rows.visit_id AND shares.cell = rows.cell
  AND shares.channel = rows.channel AND shares.n = rows.n AND shares.followed IS NULL;

-- name: insert_kept_shares
-- Inserts where the links of deleted shares lead.
INSERT INTO kept_shares (site_id, visit_id, cell, channel, n, page_id, url)
SELECT * FROM rows(site_id bigint, visit_id bigint, cell smallint, channel smallint, n smallint, page_id bigint, url text)
WHERE true
ON CONFLICT (site_id, visit_id, cell, channel, n) DO NOTHING;

-- name: add_deleted_counts
-- Adds what deleted rows counted.
INSERT INTO deleted_counts (
    site_id, hour, source, channel, depth, page_id, device, app, cell, views, shares, reported, proven, conversions,
    unfurls
)
SELECT * FROM rows(site_id bigint, hour bigint, source smallint, channel smallint, depth integer, page_id bigint, device smallint, app text, cell smallint, views bigint, shares bigint, reported bigint, proven bigint, conversions bigint, unfurls bigint)
WHERE true
ON CONFLICT (site_id, hour, source, channel, depth, page_id, device, app, cell) DO UPDATE SET
    views = deleted_counts.views + excluded.views,
    shares = deleted_counts.shares + excluded.shares,
    reported = deleted_counts.reported + excluded.reported,
    proven = deleted_counts.proven + excluded.proven,
    conversions = deleted_counts.conversions + excluded.conversions,
    unfurls = deleted_counts.unfurls + excluded.unfurls;

-- name: clear_guards
-- Takes the visits out of guards of conversions, which stay: an order that is sent again is a repeat for ever.
UPDATE guards SET visit_id = NULL
FROM rows(site_id bigint, kind smallint, guard_key bigint, cell smallint, visit_id bigint)
WHERE guards.site_id = rows.site_id AND guards.kind = rows.kind AND guards.guard_key = rows.guard_key
  AND guards.cell = rows.cell AND guards.visit_id = rows.visit_id;

-- name: delete_shares_of_visits
-- Deletes the shares of some visits.
DELETE FROM shares
/*sqlite WHERE (site_id, visit_id, cell) IN (SELECT * FROM rows(site_id bigint, visit_id bigint, cell smallint)) */
/*postgres USING rows(site_id bigint, visit_id bigint, cell smallint)
WHERE shares.site_id = rows.site_id AND shares.visit_id = rows.visit_id AND shares.cell = rows.cell */;

-- name: delete_unfurls_of_visits
-- Deletes the unfurls of some visits' shares.
DELETE FROM unfurls
/*sqlite WHERE (site_id, visit_id, cell) IN (SELECT * FROM rows(site_id bigint, visit_id bigint, cell smallint)) */
/*postgres USING rows(site_id bigint, visit_id bigint, cell smallint)
WHERE unfurls.site_id = rows.site_id AND unfurls.visit_id = rows.visit_id AND unfurls.cell = rows.cell */;

-- name: delete_conversions_of_visits
-- Deletes the conversions of some visits.
DELETE FROM conversions
/*sqlite WHERE (site_id, visit_id, cell) IN (SELECT * FROM rows(site_id bigint, visit_id bigint, cell smallint)) */
/*postgres USING rows(site_id bigint, visit_id bigint, cell smallint)
WHERE conversions.site_id = rows.site_id AND conversions.visit_id = rows.visit_id AND conversions.cell = rows.cell */;

-- name: delete_answers_of_visits
-- Deletes the answers that name some visits.
DELETE FROM answers
/*sqlite WHERE (site_id, visit_id, cell) IN (SELECT * FROM rows(site_id bigint, visit_id bigint, cell smallint)) */
/*postgres USING rows(site_id bigint, visit_id bigint, cell smallint)
WHERE answers.site_id = rows.site_id AND answers.visit_id = rows.visit_id AND answers.cell = rows.cell */;

-- name: delete_later_views_of_visits
-- Deletes the views of some visits in later hours than their first.
DELETE FROM later_views
/*sqlite WHERE (site_id, visit_id, cell) IN (SELECT * FROM rows(site_id bigint, visit_id bigint, cell smallint)) */
/*postgres USING rows(site_id bigint, visit_id bigint, cell smallint)
WHERE later_views.site_id = rows.site_id AND later_views.visit_id = rows.visit_id AND later_views.cell = rows.cell */;

-- name: delete_log_joins_of_visits
-- Deletes with which lines of access logs some visits were joined.
DELETE FROM log_joins
/*sqlite WHERE (site_id, visit_id, cell) IN (SELECT * FROM rows(site_id bigint, visit_id bigint, cell smallint)) */
/*postgres USING rows(site_id bigint, visit_id bigint, cell smallint)
WHERE log_joins.site_id = rows.site_id AND log_joins.visit_id = rows.visit_id AND log_joins.cell = rows.cell */;

-- name: delete_visits
-- Deletes visits.
DELETE FROM visits
/*sqlite WHERE (site_id, visit_id, cell) IN (SELECT * FROM rows(site_id bigint, visit_id bigint, cell smallint)) */
/*postgres USING rows(site_id bigint, visit_id bigint, cell smallint)
WHERE visits.site_id = rows.site_id AND visits.visit_id = rows.visit_id AND visits.cell = rows.cell */;

-- name: oldest_cascades
-- Returns summaries of cascades whose last return is older than a time.
SELECT site_id, root_id, cell FROM cascades
WHERE site_id = :site_id AND last_at < :before ORDER BY last_at LIMIT :limit;

-- name: delete_old_cascades
-- Deletes summaries of cascades.
DELETE FROM cascades
/*sqlite WHERE (site_id, root_id, cell) IN (SELECT * FROM rows(site_id bigint, root_id bigint, cell smallint)) */
/*postgres USING rows(site_id bigint, root_id bigint, cell smallint)
WHERE cascades.site_id = rows.site_id AND cascades.root_id = rows.root_id AND cascades.cell = rows.cell */;

-- name: oldest_answers
-- Returns answers from before a time.
SELECT site_id, visit_id, cell, event_key FROM answers
WHERE site_id = :site_id AND at < :before ORDER BY at LIMIT :limit;

-- name: delete_old_answers
-- Deletes answers.
DELETE FROM answers
/*sqlite WHERE (site_id, visit_id, cell, event_key) IN (SELECT * FROM rows(site_id bigint, visit_id bigint, cell smallint, event_key bigint)) */
/*postgres USING rows(site_id bigint, visit_id bigint, cell smallint, event_key bigint)
WHERE answers.site_id = rows.site_id AND answers.visit_id = rows.visit_id AND answers.cell = rows.cell
  AND answers.event_key = rows.event_key */;

-- name: next_site_with_answers
-- Returns the first site behind another one that has answers.
SELECT site_id, at FROM answers WHERE site_id > :site_id ORDER BY site_id, at LIMIT 1;

-- name: next_site_with_cascades
-- Returns the first site behind another one that has summaries of cascades.
SELECT site_id, last_at FROM cascades WHERE site_id > :site_id ORDER BY site_id, last_at LIMIT 1;

-- name: oldest_deliveries
-- Returns deliveries of webhooks from before a time, settled or not.
SELECT delivery_id FROM deliveries WHERE created_at < :before LIMIT :limit;

-- name: delete_old_deliveries
-- Deletes deliveries of webhooks.
DELETE FROM deliveries
/*sqlite WHERE delivery_id IN (SELECT * FROM rows(delivery_id text)) */
/*postgres USING rows(delivery_id text)
WHERE deliveries.delivery_id = rows.delivery_id */;

-- name: delete_old_suspects
-- Deletes machines of old days that were never judged.
DELETE FROM suspects WHERE day < :day;

-- name: delete_old_suspected_floods
-- Deletes notes on visits of old days that were never judged.
DELETE FROM suspected_floods WHERE day < :day OR parent_id < :to_id;

-- name: delete_deleted_counts
-- Deletes what deleted rows counted in hours that are not compared any more.
DELETE FROM deleted_counts WHERE hour >= 0 AND hour < :before;

-- name: kept_share
-- Returns the page, and the URL of one that is in no list, to which the link of a deleted share leads.
SELECT page_id, url FROM kept_shares
WHERE cell = :cell AND site_id = :site_id AND visit_id = :visit_id AND channel = :channel AND n = :n;

-- name: next_site_with_mentions
-- Returns the first site behind another one that has mentions.
SELECT site_id, at FROM mentions WHERE site_id > :site_id ORDER BY site_id, at LIMIT 1;

-- name: oldest_mentions
-- Returns mentions from before a time.
SELECT site_id, page_id, cell, mention_key FROM mentions
WHERE site_id = :site_id AND at < :before ORDER BY at LIMIT :limit;

-- name: delete_old_mentions
-- Deletes mentions.
DELETE FROM mentions
/*sqlite WHERE (site_id, page_id, cell, mention_key) IN (SELECT * FROM rows(site_id bigint, page_id bigint, cell smallint, mention_key bigint)) */
/*postgres USING rows(site_id bigint, page_id bigint, cell smallint, mention_key bigint)
WHERE mentions.site_id = rows.site_id AND mentions.page_id = rows.page_id AND mentions.cell = rows.cell
  AND mentions.mention_key = rows.mention_key */;

-- name: next_site_with_webmentions
-- Returns the first site behind another one that has webmentions.
SELECT site_id, received_at FROM webmentions WHERE site_id > :site_id ORDER BY site_id, received_at LIMIT 1;

-- name: oldest_webmentions
-- Returns webmentions from before a time.
SELECT webmention_id FROM webmentions
WHERE site_id = :site_id AND received_at < :before ORDER BY received_at LIMIT :limit;

-- name: delete_old_webmentions
-- Deletes webmentions.
DELETE FROM webmentions WHERE webmention_id IN (SELECT webmention_id FROM rows(webmention_id text));
