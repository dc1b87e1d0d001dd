-- name: cascade_unfurls
-- How many preview robots fetched the links of one cascade's shares, by share and app; those of suspects left out.
SELECT u.visit_id, u.channel, u.n, u.app, count(*)
FROM visits v /*sqlite CROSS */ JOIN unfurls u ON u.visit_id = v.visit_id
WHERE v.cell = :cell AND v.site_id = :site_id AND v.visit_id = :root_id AND v.verdict IS NULL
  AND u.cell = :cell AND u.site_id = :site_id
GROUP BY u.visit_id, u.channel, u.n, u.app
UNION ALL
SELECT u.visit_id, u.channel, u.n, u.app, count(*)
FROM visits v /*sqlite INDEXED BY visits_root */ /*sqlite CROSS */ JOIN unfurls u ON u.visit_id = v.visit_id
WHERE v.cell = :cell AND v.site_id = :site_id AND v.root_id = :root_id AND v.verdict IS NULL
  AND u.cell = :cell AND u.site_id = :site_id
GROUP BY u.visit_id, u.channel, u.n, u.app;
