-- name: shares_of_page
-- How often a page was shared, by channel.
SELECT channel, CAST(sum(shares) AS BIGINT)
FROM counts_shared WHERE site_id = :site_id AND page_id = :page_id
GROUP BY channel HAVING sum(shares) > 0 ORDER BY channel;
