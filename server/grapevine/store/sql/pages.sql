-- name: page_urls
-- Returns the URLs of some pages.
SELECT p.page_id, p.url
FROM rows(page_id bigint, cell smallint)
/*sqlite CROSS */ JOIN pages p ON p.site_id = :site_id AND p.page_id = rows.page_id AND p.cell = rows.cell;

-- name: export_pages
-- Returns the URLs and titles of some pages.
SELECT p.page_id, p.url, p.title
FROM rows(page_id bigint, cell smallint)
/*sqlite CROSS */ JOIN pages p ON p.site_id = :site_id AND p.page_id = rows.page_id AND p.cell = rows.cell;

-- name: pages_first_seen
-- Returns the addresses of some pages, and the day on which each was first seen.
SELECT p.page_id, p.url, p.day
FROM rows(page_id bigint, cell smallint)
/*sqlite CROSS */ JOIN pages p ON p.site_id = :site_id AND p.page_id = rows.page_id AND p.cell = rows.cell;
