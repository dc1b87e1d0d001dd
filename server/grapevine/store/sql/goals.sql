-- name: goals_by
-- Conversions of a period by goal and currency, the most frequent first, with what they were worth: whole units, and the
-- millionths beside them (`money.joined`). Everything but the goal is the visit's.
SELECT c.goal, c.currency, count(*), CAST(sum(c.value / 1000000) AS BIGINT), CAST(sum(c.value % 1000000) AS BIGINT)
FROM conversions c
/*sqlite JOIN visits v ON v.site_id = c.site_id AND v.visit_id = c.visit_id AND v.cell = c.cell */
/*postgres JOIN LATERAL (
    SELECT v.cell, v.page_id, v.source, v.channel, v.device, v.verdict FROM visits v
    WHERE v.site_id = c.site_id AND v.visit_id = c.visit_id AND v.cell = c.cell GROUP BY 1, 2, 3, 4, 5, 6
) AS v ON v.cell = c.cell */
WHERE c.site_id = :site_id AND c.at >= :start AND c.at < :end AND v.verdict IS NULL
  AND (CAST(:page_id AS BIGINT) IS NULL OR v.page_id = :page_id)
  AND (CAST(:channel AS SMALLINT) IS NULL OR v.channel = :channel)
  AND (CAST(:source AS SMALLINT) IS NULL OR v.source = :source)
  AND (CAST(:device AS SMALLINT) IS NULL OR v.device = :device)
GROUP BY c.goal, c.currency
ORDER BY count(*) DESC, c.goal /*postgres COLLATE "C" */, c.currency /*postgres COLLATE "C" NULLS FIRST */ LIMIT :limit;
