-- name: credited_by
-- Returns the conversions of a period for attribution, each with its visit and whether it is a
-- refund; all filters but the goal are on the visit.
SELECT c.visit_id, c.reported_by, c.currency, c.value, c.refunded_key IS NOT NULL
FROM conversions c
/*sqlite JOIN visits v ON v.site_id = c.site_id AND v.visit_id = c.visit_id AND v.cell = c.cell AND v.verdict IS NULL */
/*postgres JOIN LATERAL (
    SELECT v.cell, v.page_id, v.source, v.channel, v.device, v.app FROM visits v
    WHERE v.site_id = c.site_id AND v.visit_id = c.visit_id AND v.cell = c.cell AND v.verdict IS NULL GROUP BY 1, 2, 3, 4, 5, 6
) AS v ON v.cell = c.cell */
WHERE c.site_id = :site_id AND c.at >= :start AND c.at < :end
  AND (CAST(:goal AS TEXT) IS NULL OR c.goal = :goal)
  AND (CAST(:page_id AS BIGINT) IS NULL OR v.page_id = :page_id)
  AND (CAST(:channel AS SMALLINT) IS NULL OR v.channel = :channel)
  AND (CAST(:source AS SMALLINT) IS NULL OR v.source = :source)
  AND (CAST(:device AS SMALLINT) IS NULL OR v.device = :device)
  AND (CAST(:app AS TEXT) IS NULL OR v.app = :app)
LIMIT :limit;
