-- name: sampled_visits
-- Returns the visits of a range of ids by page, or all together: how many there are without self-returns, all with
-- them, their views, and the sum of the squares of these. Minted links are not visits.
SELECT CASE CAST(:by AS TEXT) WHEN 'page' THEN v.page_id END AS key,
    CAST(sum(CASE WHEN (v.flags & 1) = 0 THEN 1 ELSE 0 END) AS BIGINT), count(*),
    CAST(sum(v.views) AS BIGINT), CAST(sum(CAST(v.views AS BIGINT) * v.views) AS BIGINT)
FROM visits v
WHERE v.site_id = :site_id AND v.visit_id >= :from_id AND v.visit_id < :to_id AND v.at >= :start AND v.at < :end AND v.source <> 10 AND (v.flags & 4) = 0 AND v.verdict IS NULL
  AND {{visit_filters}}
GROUP BY 1;

-- name: sampled_shares
-- Returns the shares that visits of a range of ids made in a period, each with its visit: page, time, views, whether
-- it is a self-return, and the visit on which its returns hang, as in `reach_of_share`. `channel` is the share's.
SELECT s.visit_id, s.channel, s.n, v.page_id, v.at, v.views, v.flags & 1,
    CASE WHEN (v.flags & 1) <> 0 THEN COALESCE(v.parent_id, v.visit_id) ELSE v.visit_id END,
    s.first_at, s.reported_at
FROM shares s
/*sqlite CROSS */ JOIN visits v ON v.site_id = s.site_id AND v.visit_id = s.visit_id AND v.cell = s.cell
WHERE s.site_id = :site_id AND s.visit_id >= :from_id AND s.visit_id < :to_id AND s.first_at >= :start AND s.first_at < :end AND v.at >= :start AND v.at < :end
  AND v.source <> 10 AND (v.flags & 4) = 0 AND v.verdict IS NULL
  AND (CAST(:page_id AS BIGINT) IS NULL OR v.page_id = :page_id)
  AND (CAST(:channel AS SMALLINT) IS NULL OR s.channel = :channel)
  AND (CAST(:source AS SMALLINT) IS NULL OR v.source = :source)
  AND (CAST(:device AS SMALLINT) IS NULL OR v.device = :device)
  AND (CAST(:app AS TEXT) IS NULL OR v.app = :app)
ORDER BY s.visit_id, s.channel, s.n LIMIT :limit;

-- name: sampled_returns
-- Returns when visits came through some shares before the end of a period, self-returns left out. `hangs_on` as in
-- `reach_of_share`.
SELECT rows.visit_id, rows.channel, rows.n, v.at, v.visit_id
FROM rows(visit_id bigint, cell smallint, channel smallint, n smallint, hangs_on bigint)
/*sqlite CROSS */ JOIN visits v /*sqlite INDEXED BY visits_parent */
  ON v.site_id = :site_id AND v.parent_id = rows.hangs_on AND v.cell = rows.cell
WHERE v.channel = rows.channel AND v.n = rows.n AND COALESCE(v.via_id, v.parent_id) = rows.visit_id
  AND (v.flags & 5) = 0 AND v.verdict IS NULL AND v.at < :end
ORDER BY v.at, v.visit_id LIMIT :limit;
