-- name: clicks_of_links
-- Returns how often the tokens of some minted links were followed, and when last.
SELECT c.visit_id, c.channel, c.n, c.clicks, c.clicked_at
FROM rows(visit_id bigint, cell smallint)
/*sqlite CROSS */ JOIN link_clicks c ON c.site_id = :site_id AND c.visit_id = rows.visit_id AND c.cell = rows.cell;

-- name: returns_of_links
-- Returns the returns through the tokens of some minted links, self-returns apart.
SELECT s.visit_id, s.channel, s.n, s.returns, s.self_returns
FROM rows(visit_id bigint, cell smallint)
/*sqlite CROSS */ JOIN shares s ON s.site_id = :site_id AND s.visit_id = rows.visit_id AND s.cell = rows.cell;

-- name: last_return_of_links
-- Returns the last visit that came through one of some tokens of minted links before some time and is not a self-return.
SELECT v.visit_id, v.at
FROM rows(visit_id bigint, cell smallint, channel smallint, n smallint)
/*sqlite CROSS */ JOIN visits v /*sqlite INDEXED BY visits_parent */
  ON v.site_id = :site_id AND v.parent_id = rows.visit_id AND v.cell = rows.cell
WHERE v.channel = rows.channel AND v.n = rows.n AND COALESCE(v.via_id, v.parent_id) = rows.visit_id
  AND (v.flags & 5) = 0 AND v.at <= :at
ORDER BY v.at DESC, v.visit_id DESC LIMIT 1;

-- name: generations_of_links
-- Returns how many visits of each depth hang on some minted links; 63 stands for all greater depths. Those are left out
-- that `size` of a cascade leaves out: self-returns, suspects, erased visits.
SELECT v.root_id, CASE WHEN v.depth < 63 THEN v.depth ELSE 63 END AS depth, count(*)
FROM rows(visit_id bigint, cell smallint)
/*sqlite CROSS */ JOIN visits v /*sqlite INDEXED BY visits_root */
  ON v.site_id = :site_id AND v.root_id = rows.visit_id AND v.cell = rows.cell
WHERE (v.flags & 5) = 0
GROUP BY v.root_id, v.cell, 2;

-- name: conversions_of_links
-- Returns how many conversions were reported for some minted links themselves.
SELECT c.visit_id, count(*)
FROM rows(visit_id bigint, cell smallint)
/*sqlite CROSS */ JOIN conversions c ON c.site_id = :site_id AND c.visit_id = rows.visit_id AND c.cell = rows.cell
WHERE c.refunded_key IS NULL
GROUP BY c.visit_id, c.cell;

-- name: conversions_below_links
-- Returns how many conversions there are in the visits below some minted links; those of suspects left out.
SELECT v.root_id, count(*)
FROM rows(visit_id bigint, cell smallint)
/*sqlite CROSS */ JOIN visits v /*sqlite INDEXED BY visits_root */
  ON v.site_id = :site_id AND v.root_id = rows.visit_id AND v.cell = rows.cell
/*sqlite CROSS */ JOIN conversions c ON c.site_id = v.site_id AND c.visit_id = v.visit_id AND c.cell = v.cell
WHERE v.verdict IS NULL AND c.refunded_key IS NULL
GROUP BY v.root_id, v.cell;

-- name: networks_of_link
-- Returns from how many networks a minted link was opened. A network has another hash each day, and is counted once a
-- day.
SELECT count(DISTINCT v.network) FROM visits v /*sqlite INDEXED BY visits_parent */
WHERE v.cell = :cell AND v.site_id = :site_id AND v.parent_id = :visit_id AND v.via_id IS NULL AND (v.flags & 1) = 0;

-- name: unfurls_of_link
-- Returns how many preview robots fetched a minted link, by app.
SELECT app, count(*) FROM unfurls WHERE cell = :cell AND site_id = :site_id AND visit_id = :visit_id
GROUP BY app ORDER BY app /*postgres COLLATE "C" */;

-- name: links_at_roots
-- Returns the minted links from which some visits grew: those in the place of their cascade's root, with each visit.
SELECT v.visit_id AS below_id, {{link_columns}}
FROM rows(visit_id bigint, cell smallint)
/*sqlite CROSS */ JOIN visits v ON v.site_id = :site_id AND v.visit_id = rows.visit_id AND v.cell = rows.cell
/*sqlite CROSS */ JOIN links l ON l.site_id = v.site_id AND l.visit_id = COALESCE(v.root_id, v.visit_id) AND l.cell = v.cell;
