-- name: shared_url
-- The page a share is of: the one its report named, else the first page of the visit that made it.
SELECT p.url FROM visits v
LEFT JOIN shares s ON s.site_id = v.site_id AND s.visit_id = v.visit_id AND s.cell = v.cell
    AND s.channel = :channel AND s.n = :n
JOIN pages p ON p.site_id = v.site_id AND p.page_id = coalesce(s.page_id, v.page_id)
WHERE v.site_id = :site_id AND v.visit_id = :visit_id AND v.cell = :cell;
