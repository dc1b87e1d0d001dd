-- name: add_clicks
-- Adds clicks to tokens of minted links, and the time of the last one.
INSERT INTO link_clicks (site_id, visit_id, cell, channel, n, clicks, clicked_at)
SELECT * FROM rows(site_id bigint, visit_id bigint, cell smallint, channel smallint, n smallint, clicks bigint, clicked_at bigint)
WHERE true
ON CONFLICT (site_id, visit_id, cell, channel, n) DO UPDATE SET
    clicks = link_clicks.clicks + excluded.clicks,
    clicked_at = CASE WHEN excluded.clicked_at > link_clicks.clicked_at
        THEN excluded.clicked_at ELSE link_clicks.clicked_at END;
