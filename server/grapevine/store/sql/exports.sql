-- name: export_visits
-- Returns the next visits by their ids. As everywhere in this file, a page begins with a comparison of rows and ends
-- with a literal LIMIT: PostgreSQL would take two bounds of one column for a narrow range, and sort all rows in it.
SELECT {{cascade_visit_columns}}, v.cell, v.app, v.views, v.root_id, v.reason, v.evidence
FROM visits v
WHERE v.site_id = :site_id AND (v.visit_id, v.cell) > (:visit_id, :cell) AND v.visit_id < :to_id
ORDER BY v.visit_id, v.cell LIMIT 2000;

-- name: export_shares
-- Returns the next shares: on PostgreSQL by the time they were first seen, through an index; SQLite has none, and reads
-- the older ones, too.
SELECT s.site_id, s.visit_id, s.cell, s.channel, s.n, s.page_id, s.first_at, s.reported_at, s.proven_at, s.returns,
    s.self_returns, s.url, s.reported_by
FROM shares s
WHERE s.site_id = :site_id AND s.first_at < :end
/*sqlite AND s.first_at >= :start AND s.visit_id < :to_id
  AND (s.visit_id, s.cell, s.channel, s.n) > (:visit_id, :cell, :channel, :n)
ORDER BY s.visit_id, s.cell, s.channel, s.n LIMIT 2000 */
/*postgres AND (s.first_at, s.visit_id, s.cell, s.channel, s.n) > (:first_at, :visit_id, :cell, :channel, :n)
ORDER BY s.first_at, s.visit_id, s.cell, s.channel, s.n LIMIT 2000 */;

-- name: export_unfurls
-- Returns the next unfurls, found as shares are.
SELECT u.visit_id, u.cell, u.channel, u.n, u.app, u.hour, u.at
FROM unfurls u
WHERE u.site_id = :site_id AND u.at < :end
/*sqlite AND u.at >= :start AND u.visit_id < :to_id
  AND (u.visit_id, u.cell, u.channel, u.n, u.app, u.hour) > (:visit_id, :cell, :channel, :n, :app, :hour)
ORDER BY u.visit_id, u.cell, u.channel, u.n, u.app, u.hour LIMIT 2000 */
/*postgres AND (u.at, u.visit_id, u.cell, u.channel, u.n, u.app COLLATE "C", u.hour)
  > (:at, :visit_id, :cell, :channel, :n, :app, :hour)
ORDER BY u.at, u.visit_id, u.cell, u.channel, u.n, u.app COLLATE "C", u.hour LIMIT 2000 */;

-- name: export_conversions
-- Returns the next conversions by their time.
SELECT {{conversion_columns}}
FROM conversions c
WHERE c.site_id = :site_id AND c.at < :end
  AND (c.at, c.visit_id, c.cell, c.goal /*postgres COLLATE "C" */, c.event_key)
  > (:at, :visit_id, :cell, :goal, :event_key)
ORDER BY c.at, c.visit_id, c.cell, c.goal /*postgres COLLATE "C" */, c.event_key LIMIT 2000;

-- name: export_answers
-- Returns the next answers by their time.
SELECT a.site_id, a.visit_id, a.cell, a.event_key, a.at, a.text, a.contact, a.class, a.channel, a.rules, a.corrected,
    a.reported_by
FROM answers a
WHERE a.site_id = :site_id AND a.at < :end
  AND (a.at, a.visit_id, a.cell, a.event_key) > (:at, :visit_id, :cell, :event_key)
ORDER BY a.at, a.visit_id, a.cell, a.event_key LIMIT 2000;

-- name: export_links
-- Returns the next minted links by the ids of their nodes.
SELECT {{link_columns}} FROM links l
WHERE l.site_id = :site_id AND (l.visit_id, l.cell) > (:visit_id, :cell) AND l.visit_id < :to_id
ORDER BY l.visit_id, l.cell LIMIT 2000;

-- name: export_cascades
-- Returns the next cascades by the ids of their roots.
SELECT k.root_id, k.cell, k.page_id, k.started_at, k.last_at, k.size, k.max_depth, k.shares, k.conversions, k.breadth,
    k.virality, k.shape_size, k.shape_at, k.networks
FROM cascades k
WHERE k.site_id = :site_id AND (k.root_id, k.cell) > (:root_id, :cell) AND k.root_id < :to_id
ORDER BY k.root_id, k.cell LIMIT 2000;

-- name: export_mentions
-- Returns the next mentions by the time at which they became known.
SELECT m.site_id, m.page_id, m.cell, m.mention_key, m.kind, m.feed_id, m.source_url, m.title, m.author, m.published_at, m.at, m.gone_at
FROM mentions m
WHERE m.site_id = :site_id AND m.at < :end
  AND (m.at, m.page_id, m.cell, m.mention_key) > (:at, :page_id, :cell, :mention_key)
ORDER BY m.at, m.page_id, m.cell, m.mention_key LIMIT 2000;
