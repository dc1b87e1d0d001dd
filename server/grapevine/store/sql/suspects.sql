-- name: suspects_by
-- Visits of a period that a verdict took out of every count, by verdict, through the index that holds no other visits.
SELECT v.verdict, count(*)
FROM visits v /*sqlite INDEXED BY visits_verdict */
WHERE v.site_id = :site_id AND v.at >= :start AND v.at < :end AND v.verdict IS NOT NULL AND (v.flags & 4) = 0
  AND (CAST(:page_id AS BIGINT) IS NULL OR v.page_id = :page_id)
  AND (CAST(:channel AS SMALLINT) IS NULL OR v.channel = :channel)
  AND (CAST(:source AS SMALLINT) IS NULL OR v.source = :source)
  AND (CAST(:device AS SMALLINT) IS NULL OR v.device = :device)
GROUP BY v.verdict;
