-- name: shares_of_pages_by_day
-- Returns how often some pages were shared on some days, from the counts.
SELECT page_id, day, CAST(sum(shares) AS BIGINT) FROM counts_page
WHERE site_id = :site_id AND (day, page_id) IN (SELECT day, page_id FROM rows(page_id bigint, day bigint))
GROUP BY 1, 2;
