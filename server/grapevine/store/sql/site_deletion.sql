-- name: begin_site_deletion
-- Notes that the deletion of a site has begun; a repeat leaves the first time.
INSERT INTO deleted_sites (site_id, deleted_at, by_server) VALUES (:site_id, :at, :by_server)
ON CONFLICT (site_id) DO NOTHING;

-- name: site_deletions_by_server
-- Returns the numbers of the sites whose deletion a server has to carry out, and has not ended.
SELECT d.site_id FROM deleted_sites d JOIN sites s ON s.site_id = d.site_id WHERE d.by_server = 1 ORDER BY d.site_id;

-- name: unfinished_site_deletions
-- Returns the sites whose deletion has begun and not ended.
SELECT s.site_id, s.key, s.name FROM deleted_sites d JOIN sites s ON s.site_id = d.site_id ORDER BY s.site_id;

-- name: finished_site_deletions
-- Returns the numbers of sites whose deletion began after a time and has ended.
SELECT site_id FROM deleted_sites
WHERE deleted_at > :after AND site_id NOT IN (SELECT site_id FROM sites) ORDER BY site_id;

-- name: amounts_of_site
-- Returns the first and last day of a site's counts, and the visits, shares and conversions in them.
SELECT min(day), max(day), CAST(sum(visits) AS BIGINT), CAST(sum(shares) AS BIGINT), CAST(sum(conversions) AS BIGINT)
FROM counts_day WHERE site_id = :site_id AND dimension = 3;

-- name: number_of_answers
-- Returns how many answers a site has.
SELECT count(*) FROM answers WHERE site_id = :site_id;

-- name: number_of_keys_of_site
-- Returns how many API keys a site has, those made for several sites left out.
SELECT count(*) FROM api_keys WHERE site_id = :site_id;

-- name: end_sessions_of_site
-- Ends the sessions of an API key whose site is deleted.
DELETE FROM sessions WHERE key_id IN (SELECT key_id FROM rows(key_id text));

-- name: disable_webhooks_of_site
-- Disables all endpoints of a site.
UPDATE webhooks SET disabled_at = :at, reason = 'the site is deleted' WHERE site_id = :site_id AND disabled_at IS NULL;

-- name: give_up_deliveries_of_site
-- Gives up what waits to be sent to the endpoints of a site.
UPDATE deliveries SET next_at = NULL, failed_at = :at, error = 'the site is deleted'
WHERE next_at IS NOT NULL AND webhook_id IN (SELECT webhook_id FROM webhooks WHERE site_id = :site_id);

-- name: delete_site
-- Deletes a site, of which no other row is left.
DELETE FROM sites WHERE site_id = :site_id;

-- name: live_watches_to_delete
-- Returns the keys of some rows of a site.
SELECT site_id FROM live_watches WHERE site_id = :site_id LIMIT :limit;

-- name: delete_live_watches_of_site
-- Deletes rows of a site.
DELETE FROM live_watches
/*sqlite WHERE site_id IN (SELECT * FROM rows(site_id bigint)) */
/*postgres USING rows(site_id bigint)
WHERE live_watches.site_id = rows.site_id */;

-- name: live_batches_to_delete
-- Returns the keys of some rows of a site.
SELECT site_id, lane, number FROM live_batches WHERE site_id = :site_id LIMIT :limit;

-- name: delete_live_batches_of_site
-- Deletes rows of a site.
DELETE FROM live_batches
/*sqlite WHERE (site_id, lane, number) IN (SELECT * FROM rows(site_id bigint, lane bigint, number bigint)) */
/*postgres USING rows(site_id bigint, lane bigint, number bigint)
WHERE live_batches.site_id = rows.site_id AND live_batches.lane = rows.lane AND live_batches.number = rows.number */;

-- name: page_joins_to_delete
-- Returns the keys of some rows of a site.
SELECT site_id, page_id FROM page_joins WHERE site_id = :site_id LIMIT :limit;

-- name: delete_page_joins_of_site
-- Deletes rows of a site.
DELETE FROM page_joins
/*sqlite WHERE (site_id, page_id) IN (SELECT * FROM rows(site_id bigint, page_id bigint)) */
/*postgres USING rows(site_id bigint, page_id bigint)
WHERE page_joins.site_id = rows.site_id AND page_joins.page_id = rows.page_id */;

-- name: suspects_to_delete
-- Returns the keys of some rows of a site.
SELECT site_id, day, visitor, cell FROM suspects WHERE site_id = :site_id LIMIT :limit;

-- name: delete_suspects_of_site
-- Deletes rows of a site.
DELETE FROM suspects
/*sqlite WHERE (site_id, day, visitor, cell) IN (SELECT * FROM rows(site_id bigint, day bigint, visitor bigint, cell smallint)) */
/*postgres USING rows(site_id bigint, day bigint, visitor bigint, cell smallint)
WHERE suspects.site_id = rows.site_id AND suspects.day = rows.day AND suspects.visitor = rows.visitor
  AND suspects.cell = rows.cell */;

-- name: suspected_floods_to_delete
-- Returns the keys of some rows of a site.
SELECT site_id, parent_id, cell, day FROM suspected_floods WHERE site_id = :site_id LIMIT :limit;

-- name: delete_suspected_floods_of_site
-- Deletes rows of a site.
DELETE FROM suspected_floods
/*sqlite WHERE (site_id, parent_id, cell, day) IN (SELECT * FROM rows(site_id bigint, parent_id bigint, cell smallint, day bigint)) */
/*postgres USING rows(site_id bigint, parent_id bigint, cell smallint, day bigint)
WHERE suspected_floods.site_id = rows.site_id AND suspected_floods.parent_id = rows.parent_id
  AND suspected_floods.cell = rows.cell AND suspected_floods.day = rows.day */;

-- name: deliveries_to_delete
-- Returns the keys of some rows of a site.
SELECT d.delivery_id FROM webhooks w JOIN deliveries d ON d.webhook_id = w.webhook_id
WHERE w.site_id = :site_id LIMIT :limit;

-- name: delete_deliveries_of_site
-- Deletes rows of a site.
DELETE FROM deliveries
/*sqlite WHERE delivery_id IN (SELECT * FROM rows(delivery_id text)) */
/*postgres USING rows(delivery_id text)
WHERE deliveries.delivery_id = rows.delivery_id */;

-- name: webhooks_to_delete
-- Returns the keys of some rows of a site.
SELECT webhook_id FROM webhooks WHERE site_id = :site_id LIMIT :limit;

-- name: delete_webhooks_of_site
-- Deletes rows of a site.
DELETE FROM webhooks
/*sqlite WHERE webhook_id IN (SELECT * FROM rows(webhook_id text)) */
/*postgres USING rows(webhook_id text)
WHERE webhooks.webhook_id = rows.webhook_id */;

-- name: feeds_to_delete
-- Returns the keys of some rows of a site.
SELECT feed_id FROM feeds WHERE site_id = :site_id LIMIT :limit;

-- name: delete_feeds_of_site
-- Deletes rows of a site.
DELETE FROM feeds
/*sqlite WHERE feed_id IN (SELECT * FROM rows(feed_id text)) */
/*postgres USING rows(feed_id text)
WHERE feeds.feed_id = rows.feed_id */;

-- name: answers_to_delete
-- Returns the keys of some rows of a site.
SELECT site_id, visit_id, cell, event_key FROM answers WHERE site_id = :site_id LIMIT :limit;

-- name: delete_answers_of_site
-- Deletes rows of a site.
DELETE FROM answers
/*sqlite WHERE (site_id, visit_id, cell, event_key) IN (SELECT * FROM rows(site_id bigint, visit_id bigint, cell smallint, event_key bigint)) */
/*postgres USING rows(site_id bigint, visit_id bigint, cell smallint, event_key bigint)
WHERE answers.site_id = rows.site_id AND answers.visit_id = rows.visit_id AND answers.cell = rows.cell
  AND answers.event_key = rows.event_key */;

-- name: conversions_to_delete
-- Returns the keys of some rows of a site.
SELECT site_id, visit_id, cell, goal, event_key FROM conversions WHERE site_id = :site_id LIMIT :limit;

-- name: delete_conversions_of_site
-- Deletes rows of a site.
DELETE FROM conversions
/*sqlite WHERE (site_id, visit_id, cell, goal, event_key) IN (SELECT * FROM rows(site_id bigint, visit_id bigint, cell smallint, goal text, event_key bigint)) */
/*postgres USING rows(site_id bigint, visit_id bigint, cell smallint, goal text, event_key bigint)
WHERE conversions.site_id = rows.site_id AND conversions.visit_id = rows.visit_id AND conversions.cell = rows.cell
  AND conversions.goal = rows.goal AND conversions.event_key = rows.event_key */;

-- name: receipt_sharers_to_delete
-- Returns the keys of some rows of a site.
SELECT site_id, visit_id, cell, event_key, receipt_id, sharer_id FROM receipt_sharers WHERE site_id = :site_id LIMIT :limit;

-- name: delete_receipt_sharers_of_site
-- Deletes rows of a site.
DELETE FROM receipt_sharers
/*sqlite WHERE (site_id, visit_id, cell, event_key, receipt_id, sharer_id) IN (SELECT * FROM rows(site_id bigint, visit_id bigint, cell smallint, event_key bigint, receipt_id text, sharer_id bigint)) */
/*postgres USING rows(site_id bigint, visit_id bigint, cell smallint, event_key bigint, receipt_id text, sharer_id bigint)
WHERE receipt_sharers.site_id = rows.site_id
  AND receipt_sharers.visit_id = rows.visit_id
  AND receipt_sharers.cell = rows.cell
  AND receipt_sharers.event_key = rows.event_key
  AND receipt_sharers.receipt_id = rows.receipt_id
  AND receipt_sharers.sharer_id = rows.sharer_id */;

-- name: receipts_to_delete
-- Returns the keys of some rows of a site.
SELECT site_id, visit_id, cell, event_key, receipt_id FROM receipts WHERE site_id = :site_id LIMIT :limit;

-- name: delete_receipts_of_site
-- Deletes rows of a site.
DELETE FROM receipts
/*sqlite WHERE (site_id, visit_id, cell, event_key, receipt_id) IN (SELECT * FROM rows(site_id bigint, visit_id bigint, cell smallint, event_key bigint, receipt_id text)) */
/*postgres USING rows(site_id bigint, visit_id bigint, cell smallint, event_key bigint, receipt_id text)
WHERE receipts.site_id = rows.site_id
  AND receipts.visit_id = rows.visit_id
  AND receipts.cell = rows.cell
  AND receipts.event_key = rows.event_key
  AND receipts.receipt_id = rows.receipt_id */;

-- name: receipt_keys_to_delete
-- Returns the keys of some rows of a site.
SELECT site_id, kid FROM receipt_keys WHERE site_id = :site_id LIMIT :limit;

-- name: delete_receipt_keys_of_site
-- Deletes rows of a site.
DELETE FROM receipt_keys
/*sqlite WHERE (site_id, kid) IN (SELECT * FROM rows(site_id bigint, kid text)) */
/*postgres USING rows(site_id bigint, kid text)
WHERE receipt_keys.site_id = rows.site_id
  AND receipt_keys.kid = rows.kid */;

-- name: unfurls_to_delete
-- Returns the keys of some rows of a site.
SELECT site_id, visit_id, cell, channel, n, app, hour FROM unfurls WHERE site_id = :site_id LIMIT :limit;

-- name: delete_unfurls_of_site
-- Deletes rows of a site.
DELETE FROM unfurls
/*sqlite WHERE (site_id, visit_id, cell, channel, n, app, hour) IN (SELECT * FROM rows(site_id bigint, visit_id bigint, cell smallint, channel smallint, n smallint, app text, hour bigint)) */
/*postgres USING rows(site_id bigint, visit_id bigint, cell smallint, channel smallint, n smallint, app text, hour bigint)
WHERE unfurls.site_id = rows.site_id AND unfurls.visit_id = rows.visit_id AND unfurls.cell = rows.cell
  AND unfurls.channel = rows.channel AND unfurls.n = rows.n AND unfurls.app = rows.app AND unfurls.hour = rows.hour */;

-- name: shares_to_delete
-- Returns the keys of some rows of a site.
SELECT site_id, visit_id, cell, channel, n FROM shares WHERE site_id = :site_id LIMIT :limit;

-- name: delete_shares_of_site
-- Deletes rows of a site.
DELETE FROM shares
/*sqlite WHERE (site_id, visit_id, cell, channel, n) IN (SELECT * FROM rows(site_id bigint, visit_id bigint, cell smallint, channel smallint, n smallint)) */
/*postgres USING rows(site_id bigint, visit_id bigint, cell smallint, channel smallint, n smallint)
WHERE shares.site_id = rows.site_id AND shares.visit_id = rows.visit_id AND shares.cell = rows.cell
  AND shares.channel = rows.channel AND shares.n = rows.n */;

-- name: later_views_to_delete
-- Returns the keys of some rows of a site.
SELECT site_id, visit_id, cell, hour FROM later_views WHERE site_id = :site_id LIMIT :limit;

-- name: delete_later_views_of_site
-- Deletes rows of a site.
DELETE FROM later_views
/*sqlite WHERE (site_id, visit_id, cell, hour) IN (SELECT * FROM rows(site_id bigint, visit_id bigint, cell smallint, hour bigint)) */
/*postgres USING rows(site_id bigint, visit_id bigint, cell smallint, hour bigint)
WHERE later_views.site_id = rows.site_id AND later_views.visit_id = rows.visit_id AND later_views.cell = rows.cell
  AND later_views.hour = rows.hour */;

-- name: log_joins_to_delete
-- Returns the keys of some rows of a site.
SELECT site_id, visit_id, cell FROM log_joins WHERE site_id = :site_id LIMIT :limit;

-- name: delete_log_joins_of_site
-- Deletes rows of a site.
DELETE FROM log_joins
/*sqlite WHERE (site_id, visit_id, cell) IN (SELECT * FROM rows(site_id bigint, visit_id bigint, cell smallint)) */
/*postgres USING rows(site_id bigint, visit_id bigint, cell smallint)
WHERE log_joins.site_id = rows.site_id AND log_joins.visit_id = rows.visit_id AND log_joins.cell = rows.cell */;

-- name: visits_to_delete
-- Returns the keys of some rows of a site.
SELECT site_id, visit_id, cell FROM visits WHERE site_id = :site_id LIMIT :limit;

-- name: delete_visits_of_site
-- Deletes rows of a site.
DELETE FROM visits
/*sqlite WHERE (site_id, visit_id, cell) IN (SELECT * FROM rows(site_id bigint, visit_id bigint, cell smallint)) */
/*postgres USING rows(site_id bigint, visit_id bigint, cell smallint)
WHERE visits.site_id = rows.site_id AND visits.visit_id = rows.visit_id AND visits.cell = rows.cell */;

-- name: kept_shares_to_delete
-- Returns the keys of some rows of a site.
SELECT site_id, visit_id, cell, channel, n FROM kept_shares WHERE site_id = :site_id LIMIT :limit;

-- name: delete_kept_shares_of_site
-- Deletes rows of a site.
DELETE FROM kept_shares
/*sqlite WHERE (site_id, visit_id, cell, channel, n) IN (SELECT * FROM rows(site_id bigint, visit_id bigint, cell smallint, channel smallint, n smallint)) */
/*postgres USING rows(site_id bigint, visit_id bigint, cell smallint, channel smallint, n smallint)
WHERE kept_shares.site_id = rows.site_id AND kept_shares.visit_id = rows.visit_id AND kept_shares.cell = rows.cell
  AND kept_shares.channel = rows.channel AND kept_shares.n = rows.n */;

-- name: deleted_counts_to_delete
-- Returns the keys of some rows of a site.
SELECT site_id, hour, source, channel, depth, page_id, device, app, cell FROM deleted_counts WHERE site_id = :site_id LIMIT :limit;

-- name: delete_deleted_counts_of_site
-- Deletes rows of a site.
DELETE FROM deleted_counts
/*sqlite WHERE (site_id, hour, source, channel, depth, page_id, device, app, cell) IN (SELECT * FROM rows(site_id bigint, hour bigint, source smallint, channel smallint, depth integer, page_id bigint, device smallint, app text, cell smallint)) */
/*postgres USING rows(site_id bigint, hour bigint, source smallint, channel smallint, depth integer, page_id bigint, device smallint, app text, cell smallint)
WHERE deleted_counts.site_id = rows.site_id AND deleted_counts.hour = rows.hour
  AND deleted_counts.source = rows.source AND deleted_counts.channel = rows.channel
  AND deleted_counts.depth = rows.depth AND deleted_counts.page_id = rows.page_id
  AND deleted_counts.device = rows.device AND deleted_counts.app = rows.app AND deleted_counts.cell = rows.cell */;

-- name: guards_to_delete
-- Returns the keys of some rows of a site.
SELECT site_id, kind, guard_key, cell FROM guards WHERE site_id = :site_id LIMIT :limit;

-- name: delete_guards_of_site
-- Deletes rows of a site.
DELETE FROM guards
/*sqlite WHERE (site_id, kind, guard_key, cell) IN (SELECT * FROM rows(site_id bigint, kind smallint, guard_key bigint, cell smallint)) */
/*postgres USING rows(site_id bigint, kind smallint, guard_key bigint, cell smallint)
WHERE guards.site_id = rows.site_id AND guards.kind = rows.kind AND guards.guard_key = rows.guard_key
  AND guards.cell = rows.cell */;

-- name: names_to_delete
-- Returns the keys of some rows of a site.
SELECT site_id, kind, name, cell FROM names WHERE site_id = :site_id LIMIT :limit;

-- name: delete_names_of_site
-- Deletes rows of a site.
DELETE FROM names
/*sqlite WHERE (site_id, kind, name, cell) IN (SELECT * FROM rows(site_id bigint, kind smallint, name text, cell smallint)) */
/*postgres USING rows(site_id bigint, kind smallint, name text, cell smallint)
WHERE names.site_id = rows.site_id AND names.kind = rows.kind AND names.name = rows.name AND names.cell = rows.cell */;

-- name: bound_hits_to_delete
-- Returns the keys of some rows of a site.
SELECT site_id, day, kind, cell FROM bound_hits WHERE site_id = :site_id LIMIT :limit;

-- name: delete_bound_hits_of_site
-- Deletes rows of a site.
DELETE FROM bound_hits
/*sqlite WHERE (site_id, day, kind, cell) IN (SELECT * FROM rows(site_id bigint, day bigint, kind smallint, cell smallint)) */
/*postgres USING rows(site_id bigint, day bigint, kind smallint, cell smallint)
WHERE bound_hits.site_id = rows.site_id AND bound_hits.day = rows.day AND bound_hits.kind = rows.kind
  AND bound_hits.cell = rows.cell */;

-- name: links_to_delete
-- Returns the keys of some rows of a site.
SELECT site_id, visit_id, cell FROM links WHERE site_id = :site_id LIMIT :limit;

-- name: delete_links_of_site
-- Deletes rows of a site.
DELETE FROM links
/*sqlite WHERE (site_id, visit_id, cell) IN (SELECT * FROM rows(site_id bigint, visit_id bigint, cell smallint)) */
/*postgres USING rows(site_id bigint, visit_id bigint, cell smallint)
WHERE links.site_id = rows.site_id AND links.visit_id = rows.visit_id AND links.cell = rows.cell */;

-- name: link_names_to_delete
-- Returns the keys of some rows of a site.
SELECT site_id, kind, name_key, cell, visit_id FROM link_names WHERE site_id = :site_id LIMIT :limit;

-- name: delete_link_names_of_site
-- Deletes rows of a site.
DELETE FROM link_names
/*sqlite WHERE (site_id, kind, name_key, cell, visit_id) IN (SELECT * FROM rows(site_id bigint, kind smallint, name_key bigint, cell smallint, visit_id bigint)) */
/*postgres USING rows(site_id bigint, kind smallint, name_key bigint, cell smallint, visit_id bigint)
WHERE link_names.site_id = rows.site_id AND link_names.kind = rows.kind AND link_names.name_key = rows.name_key
  AND link_names.cell = rows.cell AND link_names.visit_id = rows.visit_id */;

-- name: link_words_to_delete
-- Returns the keys of some words of a site that are in use, and when its deletion began.
SELECT w.word_key, w.cell, d.deleted_at
FROM link_words w JOIN deleted_sites d ON d.site_id = w.site_id
WHERE w.site_id = :site_id AND w.freed_at IS NULL LIMIT :limit;

-- name: delete_link_words_of_site
-- Takes the links out of words of a site, which are kept from other sites from then on.
UPDATE link_words SET visit_id = NULL, freed_at = rows.freed_at
FROM rows(word_key bigint, cell smallint, freed_at bigint)
WHERE link_words.word_key = rows.word_key AND link_words.cell = rows.cell;

-- name: link_clicks_to_delete
-- Returns the keys of some rows of a site.
SELECT site_id, visit_id, cell, channel, n FROM link_clicks WHERE site_id = :site_id LIMIT :limit;

-- name: delete_link_clicks_of_site
-- Deletes rows of a site.
DELETE FROM link_clicks
/*sqlite WHERE (site_id, visit_id, cell, channel, n) IN (SELECT * FROM rows(site_id bigint, visit_id bigint, cell smallint, channel smallint, n smallint)) */
/*postgres USING rows(site_id bigint, visit_id bigint, cell smallint, channel smallint, n smallint)
WHERE link_clicks.site_id = rows.site_id AND link_clicks.visit_id = rows.visit_id
  AND link_clicks.cell = rows.cell AND link_clicks.channel = rows.channel AND link_clicks.n = rows.n */;

-- name: cascades_to_delete
-- Returns the keys of some rows of a site.
SELECT site_id, root_id, cell FROM cascades WHERE site_id = :site_id LIMIT :limit;

-- name: delete_cascades_of_site
-- Deletes rows of a site.
DELETE FROM cascades
/*sqlite WHERE (site_id, root_id, cell) IN (SELECT * FROM rows(site_id bigint, root_id bigint, cell smallint)) */
/*postgres USING rows(site_id bigint, root_id bigint, cell smallint)
WHERE cascades.site_id = rows.site_id AND cascades.root_id = rows.root_id AND cascades.cell = rows.cell */;

-- name: spikes_to_delete
-- Returns the keys of some rows of a site.
SELECT site_id, page_id, started_at FROM spikes WHERE site_id = :site_id LIMIT :limit;

-- name: delete_spikes_of_site
-- Deletes rows of a site.
DELETE FROM spikes
/*sqlite WHERE (site_id, page_id, started_at) IN (SELECT * FROM rows(site_id bigint, page_id bigint, started_at bigint)) */
/*postgres USING rows(site_id bigint, page_id bigint, started_at bigint)
WHERE spikes.site_id = rows.site_id AND spikes.page_id = rows.page_id AND spikes.started_at = rows.started_at */;

-- name: silences_to_delete
-- Returns the keys of some rows of a site.
SELECT site_id, started_at FROM silences WHERE site_id = :site_id LIMIT :limit;

-- name: delete_silences_of_site
-- Deletes rows of a site.
DELETE FROM silences
/*sqlite WHERE (site_id, started_at) IN (SELECT * FROM rows(site_id bigint, started_at bigint)) */
/*postgres USING rows(site_id bigint, started_at bigint)
WHERE silences.site_id = rows.site_id AND silences.started_at = rows.started_at */;

-- name: pages_to_delete
-- Returns the keys of some rows of a site.
SELECT site_id, page_id, cell FROM pages WHERE site_id = :site_id LIMIT :limit;

-- name: delete_pages_of_site
-- Deletes rows of a site.
DELETE FROM pages
/*sqlite WHERE (site_id, page_id, cell) IN (SELECT * FROM rows(site_id bigint, page_id bigint, cell smallint)) */
/*postgres USING rows(site_id bigint, page_id bigint, cell smallint)
WHERE pages.site_id = rows.site_id AND pages.page_id = rows.page_id AND pages.cell = rows.cell */;

-- name: counts_hour_to_delete
-- Returns the keys of some rows of a site.
SELECT site_id, hour, source, channel, depth, cell FROM counts_hour WHERE site_id = :site_id LIMIT :limit;

-- name: delete_counts_hour_of_site
-- Deletes rows of a site.
DELETE FROM counts_hour
/*sqlite WHERE (site_id, hour, source, channel, depth, cell) IN (SELECT * FROM rows(site_id bigint, hour bigint, source smallint, channel smallint, depth integer, cell smallint)) */
/*postgres USING rows(site_id bigint, hour bigint, source smallint, channel smallint, depth integer, cell smallint)
WHERE counts_hour.site_id = rows.site_id AND counts_hour.hour = rows.hour AND counts_hour.source = rows.source
  AND counts_hour.channel = rows.channel AND counts_hour.depth = rows.depth AND counts_hour.cell = rows.cell */;

-- name: counts_day_to_delete
-- Returns the keys of some rows of a site.
SELECT site_id, day, dimension, key, cell FROM counts_day WHERE site_id = :site_id LIMIT :limit;

-- name: delete_counts_day_of_site
-- Deletes rows of a site.
DELETE FROM counts_day
/*sqlite WHERE (site_id, day, dimension, key, cell) IN (SELECT * FROM rows(site_id bigint, day bigint, dimension smallint, key integer, cell smallint)) */
/*postgres USING rows(site_id bigint, day bigint, dimension smallint, key integer, cell smallint)
WHERE counts_day.site_id = rows.site_id AND counts_day.day = rows.day AND counts_day.dimension = rows.dimension
  AND counts_day.key = rows.key AND counts_day.cell = rows.cell */;

-- name: counts_page_to_delete
-- Returns the keys of some rows of a site.
SELECT site_id, day, page_id, cell FROM counts_page WHERE site_id = :site_id LIMIT :limit;

-- name: delete_counts_page_of_site
-- Deletes rows of a site.
DELETE FROM counts_page
/*sqlite WHERE (site_id, day, page_id, cell) IN (SELECT * FROM rows(site_id bigint, day bigint, page_id bigint, cell smallint)) */
/*postgres USING rows(site_id bigint, day bigint, page_id bigint, cell smallint)
WHERE counts_page.site_id = rows.site_id AND counts_page.day = rows.day AND counts_page.page_id = rows.page_id
  AND counts_page.cell = rows.cell */;

-- name: counts_device_to_delete
-- Returns the keys of some rows of a site.
SELECT site_id, day, device, app, cell FROM counts_device WHERE site_id = :site_id LIMIT :limit;

-- name: delete_counts_device_of_site
-- Deletes rows of a site.
DELETE FROM counts_device
/*sqlite WHERE (site_id, day, device, app, cell) IN (SELECT * FROM rows(site_id bigint, day bigint, device smallint, app text, cell smallint)) */
/*postgres USING rows(site_id bigint, day bigint, device smallint, app text, cell smallint)
WHERE counts_device.site_id = rows.site_id AND counts_device.day = rows.day AND counts_device.device = rows.device
  AND counts_device.app = rows.app AND counts_device.cell = rows.cell */;

-- name: counts_week_to_delete
-- Returns the keys of some rows of a site.
SELECT site_id, week, page_id, cell FROM counts_week WHERE site_id = :site_id LIMIT :limit;

-- name: delete_counts_week_of_site
-- Deletes rows of a site.
DELETE FROM counts_week
/*sqlite WHERE (site_id, week, page_id, cell) IN (SELECT * FROM rows(site_id bigint, week bigint, page_id bigint, cell smallint)) */
/*postgres USING rows(site_id bigint, week bigint, page_id bigint, cell smallint)
WHERE counts_week.site_id = rows.site_id AND counts_week.week = rows.week AND counts_week.page_id = rows.page_id
  AND counts_week.cell = rows.cell */;

-- name: counts_shared_to_delete
-- Returns the keys of some rows of a site.
SELECT site_id, page_id, channel, cell FROM counts_shared WHERE site_id = :site_id LIMIT :limit;

-- name: delete_counts_shared_of_site
-- Deletes rows of a site.
DELETE FROM counts_shared
/*sqlite WHERE (site_id, page_id, channel, cell) IN (SELECT * FROM rows(site_id bigint, page_id bigint, channel smallint, cell smallint)) */
/*postgres USING rows(site_id bigint, page_id bigint, channel smallint, cell smallint)
WHERE counts_shared.site_id = rows.site_id AND counts_shared.page_id = rows.page_id
  AND counts_shared.channel = rows.channel AND counts_shared.cell = rows.cell */;

-- name: drops_to_delete
-- Returns the keys of some rows of a site.
SELECT site_id, hour, reason, cell FROM drops WHERE site_id = :site_id LIMIT :limit;

-- name: delete_drops_of_site
-- Deletes rows of a site.
DELETE FROM drops
/*sqlite WHERE (site_id, hour, reason, cell) IN (SELECT * FROM rows(site_id bigint, hour bigint, reason text, cell smallint)) */
/*postgres USING rows(site_id bigint, hour bigint, reason text, cell smallint)
WHERE drops.site_id = rows.site_id AND drops.hour = rows.hour AND drops.reason = rows.reason
  AND drops.cell = rows.cell */;

-- name: key_sites_to_delete
-- Returns the keys of some rows of a site.
SELECT key_id, site_id FROM key_sites WHERE site_id = :site_id LIMIT :limit;

-- name: delete_key_sites_of_site
-- Deletes rows of a site.
DELETE FROM key_sites
/*sqlite WHERE (key_id, site_id) IN (SELECT * FROM rows(key_id text, site_id bigint)) */
/*postgres USING rows(key_id text, site_id bigint)
WHERE key_sites.key_id = rows.key_id AND key_sites.site_id = rows.site_id */;

-- name: kept_answers_to_delete
-- Returns the keys of some rows of a site.
SELECT key_id, hash FROM kept_answers WHERE site_id = :site_id LIMIT :limit;

-- name: delete_kept_answers_of_site
-- Deletes rows of a site.
DELETE FROM kept_answers
/*sqlite WHERE (key_id, hash) IN (SELECT * FROM rows(key_id text, hash text)) */
/*postgres USING rows(key_id text, hash text)
WHERE kept_answers.key_id = rows.key_id AND kept_answers.hash = rows.hash */;

-- name: api_keys_to_delete
-- Returns some keys of a site, and those made for several sites of which none is left.
SELECT key_id FROM api_keys
WHERE site_id = :site_id OR (site_id = -1 AND key_id NOT IN (SELECT key_id FROM key_sites)) LIMIT :limit;

-- name: delete_api_keys_of_site
-- Deletes rows of a site.
DELETE FROM api_keys
/*sqlite WHERE key_id IN (SELECT * FROM rows(key_id text)) */
/*postgres USING rows(key_id text)
WHERE api_keys.key_id = rows.key_id */;

-- name: origins_to_delete
-- Returns the keys of some rows of a site.
SELECT site_id, origin FROM origins WHERE site_id = :site_id LIMIT :limit;

-- name: delete_origins_of_site
-- Deletes rows of a site.
DELETE FROM origins
/*sqlite WHERE (site_id, origin) IN (SELECT * FROM rows(site_id bigint, origin text)) */
/*postgres USING rows(site_id bigint, origin text)
WHERE origins.site_id = rows.site_id AND origins.origin = rows.origin */;

-- name: webmentions_to_delete
-- Returns the keys of some rows of a site.
SELECT webmention_id FROM webmentions WHERE site_id = :site_id LIMIT :limit;

-- name: delete_webmentions_of_site
-- Deletes rows of a site.
DELETE FROM webmentions WHERE webmention_id IN (SELECT webmention_id FROM rows(webmention_id text));

-- name: mentions_to_delete
-- Returns the keys of some rows of a site.
SELECT site_id, page_id, cell, mention_key FROM mentions WHERE site_id = :site_id LIMIT :limit;

-- name: delete_mentions_of_site
-- Deletes rows of a site.
DELETE FROM mentions
/*sqlite WHERE (site_id, page_id, cell, mention_key) IN (SELECT * FROM rows(site_id bigint, page_id bigint, cell smallint, mention_key bigint)) */
/*postgres USING rows(site_id bigint, page_id bigint, cell smallint, mention_key bigint)
WHERE mentions.site_id = rows.site_id AND mentions.page_id = rows.page_id AND mentions.cell = rows.cell
  AND mentions.mention_key = rows.mention_key */;
