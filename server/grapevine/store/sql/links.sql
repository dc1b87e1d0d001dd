-- name: shared_page
-- The page a share is of: the one its report named, else the first page of the visit that made it.
SELECT COALESCE(s.page_id, v.page_id) FROM visits v
LEFT JOIN shares s ON s.site_id = v.site_id AND s.visit_id = v.visit_id AND s.cell = v.cell
    AND s.channel = :channel AND s.n = :n
WHERE v.site_id = :site_id AND v.visit_id = :visit_id AND v.cell = :cell;
