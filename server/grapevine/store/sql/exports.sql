-- name: export_visits
-- The next visits of a period by their ids. An id's day is the browser's and may differ from the server's by one, so the
-- range of ids is a day wider on each side.
SELECT v.visit_id, v.at, v.page_id, v.source, v.device, v.app, v.views, v.channel, v.n, v.via_id, v.parent_id, v.root_id,
    v.depth, v.flags, v.reason, v.verdict
FROM visits v
WHERE v.site_id = :site_id AND v.visit_id > :visit_id AND v.visit_id < :to_id AND v.at >= :start AND v.at < :end
ORDER BY v.visit_id LIMIT :limit;

-- name: export_shares
-- The next shares first seen in a period: on PostgreSQL by that time, through an index; SQLite has none, and reads the
-- older ones too.
SELECT s.visit_id, s.cell, s.channel, s.n, s.page_id, s.first_at, s.reported_at, s.proven_at, s.returns, s.self_returns
FROM shares s
WHERE s.site_id = :site_id AND s.first_at >= :start AND s.first_at < :end
/*sqlite AND (s.visit_id, s.cell, s.channel, s.n) > (:visit_id, :cell, :channel, :n) AND s.visit_id < :to_id
ORDER BY s.visit_id, s.cell, s.channel, s.n LIMIT :limit */
/*postgres AND s.first_at >= :first_at
  AND (s.first_at, s.visit_id, s.cell, s.channel, s.n) > (:first_at, :visit_id, :cell, :channel, :n)
ORDER BY s.first_at, s.visit_id, s.cell, s.channel, s.n LIMIT :limit */;

-- name: export_unfurls
-- The next unfurls of a period, found as shares are.
SELECT u.visit_id, u.cell, u.channel, u.n, u.app, u.hour, u.at
FROM unfurls u
WHERE u.site_id = :site_id AND u.at >= :start AND u.at < :end
/*sqlite AND (u.visit_id, u.cell, u.channel, u.n, u.app, u.hour) > (:visit_id, :cell, :channel, :n, :app, :hour)
  AND u.visit_id < :to_id
ORDER BY u.visit_id, u.cell, u.channel, u.n, u.app, u.hour LIMIT :limit */
/*postgres AND u.at >= :at AND (u.at, u.visit_id, u.cell, u.channel, u.n, u.app COLLATE "C", u.hour)
  > (:at, :visit_id, :cell, :channel, :n, :app, :hour)
ORDER BY u.at, u.visit_id, u.cell, u.channel, u.n, u.app COLLATE "C", u.hour LIMIT :limit */;

-- name: export_conversions
-- The next conversions of a period by their time.
SELECT c.visit_id, c.cell, c.goal, c.event_key, c.external_id, c.at, c.value, c.currency
FROM conversions c
WHERE c.site_id = :site_id AND c.at < :end /*postgres AND c.at >= :at */
  AND (c.at, c.visit_id, c.cell, c.goal /*postgres COLLATE "C" */, c.event_key)
  > (:at, :visit_id, :cell, :goal, :event_key)
ORDER BY c.at, c.visit_id, c.cell, c.goal /*postgres COLLATE "C" */, c.event_key LIMIT :limit;

-- name: export_answers
-- The next answers of a period by their time.
SELECT a.visit_id, a.cell, a.event_key, a.at, a.text, a.contact, a.class
FROM answers a
WHERE a.site_id = :site_id AND a.at < :end /*postgres AND a.at >= :at */
  AND (a.at, a.visit_id, a.cell, a.event_key) > (:at, :visit_id, :cell, :event_key)
ORDER BY a.at, a.visit_id, a.cell, a.event_key LIMIT :limit;

-- name: export_cascades
-- The next cascades that began in a period, by the ids of their roots.
SELECT k.root_id, k.cell, k.page_id, k.started_at, k.last_at, k.size, k.max_depth, k.shares, k.conversions, k.breadth,
    k.virality, k.shape_size
FROM cascades k
WHERE k.site_id = :site_id AND k.root_id > :root_id AND k.root_id < :to_id
  AND k.started_at >= :start AND k.started_at < :end
ORDER BY k.root_id LIMIT :limit;

-- name: export_visits_named
-- What other tables' rows need to know of their visits.
SELECT v.visit_id, v.page_id, v.flags, v.verdict
FROM rows(visit_id bigint, cell smallint)
/*sqlite CROSS */ JOIN visits v ON v.site_id = :site_id AND v.visit_id = rows.visit_id AND v.cell = rows.cell;

-- name: export_pages
-- The URLs and titles of some pages.
SELECT p.page_id, p.url, p.title FROM pages p
WHERE p.site_id = :site_id AND p.page_id IN (SELECT page_id FROM rows(page_id bigint));
