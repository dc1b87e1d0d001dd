-- name: credited_by
-- The conversions of a period that are to be credited, each with its visit; everything but the goal is the visit's.
SELECT c.visit_id, c.currency, c.value
FROM conversions c
/*sqlite JOIN visits v ON v.site_id = c.site_id AND v.visit_id = c.visit_id AND v.cell = c.cell AND v.verdict IS NULL */
/*postgres JOIN LATERAL (
    SELECT v.cell, v.page_id, v.source, v.channel, v.device FROM visits v
    WHERE v.site_id = c.site_id AND v.visit_id = c.visit_id AND v.cell = c.cell AND v.verdict IS NULL GROUP BY 1, 2, 3, 4, 5
) AS v ON v.cell = c.cell */
WHERE c.site_id = :site_id AND c.at >= :start AND c.at < :end
  AND (CAST(:goal AS TEXT) IS NULL OR c.goal = :goal)
  AND (CAST(:page_id AS BIGINT) IS NULL OR v.page_id = :page_id)
  AND (CAST(:channel AS SMALLINT) IS NULL OR v.channel = :channel)
  AND (CAST(:source AS SMALLINT) IS NULL OR v.source = :source)
  AND (CAST(:device AS SMALLINT) IS NULL OR v.device = :device)
LIMIT :limit;

-- name: cascade_visits_by_id
-- Some visits by their ids: what attribution climbs chains by, a generation at a time, and what exports tell of a visit.
SELECT v.visit_id, v.at, v.page_id, v.source, v.channel, v.n, v.via_id, v.parent_id, v.depth, v.flags, v.verdict, v.device
FROM rows(visit_id bigint, cell smallint)
/*sqlite CROSS */ JOIN visits v ON v.site_id = :site_id AND v.visit_id = rows.visit_id AND v.cell = rows.cell;

-- name: reported_pages
-- The pages that some shares are of, where a report named them.
SELECT s.visit_id, s.channel, s.n, s.page_id
FROM rows(visit_id bigint, cell smallint, channel smallint, n smallint)
/*sqlite CROSS */ JOIN shares s ON s.site_id = :site_id AND s.visit_id = rows.visit_id AND s.cell = rows.cell
  AND s.channel = rows.channel AND s.n = rows.n
WHERE s.page_id IS NOT NULL;

-- name: last_return
-- The last visit that came through a share before some time and is no self-return. `hangs_on` as in `reach_of_share`.
SELECT visit_id FROM visits /*sqlite INDEXED BY visits_parent */
WHERE cell = :cell AND site_id = :site_id AND parent_id = :hangs_on
  AND channel = :channel AND n = :n AND COALESCE(via_id, parent_id) = :visit_id AND (flags & 5) = 0 AND at <= :at
ORDER BY at DESC, visit_id DESC LIMIT 1;
