-- fragment: link_columns
-- The columns of a minted link, in the order of `repositories.links.LinkRow`.
l.site_id, l.visit_id, l.cell, l.channel, l.url, l.label, l.external_id, l.campaign, l.word, l.places, l.keep,
l.created_at, l.expires_at

-- name: link
-- Returns one minted link.
SELECT {{link_columns}} FROM links l
WHERE l.site_id = :site_id AND l.visit_id = :visit_id AND l.cell = :cell;

-- name: links_of_site
-- Returns the links of a site before one, in the order of their ids downwards.
SELECT {{link_columns}} FROM links l
WHERE l.site_id = :site_id AND l.visit_id < :before ORDER BY l.visit_id DESC LIMIT :limit;

-- name: ids_of_links_named
-- Returns the ids of the links of a name before one, downwards. They are on one shard.
SELECT n.visit_id FROM link_names n
WHERE n.cell = :cell AND n.site_id = :site_id AND n.kind = :kind AND n.name_key = :name_key AND n.visit_id < :before
ORDER BY n.visit_id DESC LIMIT :limit;

-- name: named_links
-- Returns those of these links that are stored.
SELECT {{link_columns}}
FROM rows(site_id bigint, visit_id bigint, cell smallint)
JOIN links l ON l.site_id = rows.site_id AND l.visit_id = rows.visit_id AND l.cell = rows.cell;

-- name: links_of_day
-- Returns how many links a site has whose ids are from one to before another, those of a day.
SELECT count(*) FROM links WHERE site_id = :site_id AND visit_id >= :first AND visit_id < :end;

-- name: insert_links
-- Inserts minted links, whose visits were inserted before in the same transaction.
INSERT INTO links (
    site_id, visit_id, cell, channel, url, label, external_id, campaign, word, places, keep, created_at, expires_at
)
SELECT * FROM rows(site_id bigint, visit_id bigint, cell smallint, channel smallint, url text, label text, external_id text, campaign text, word text, places text, keep smallint, created_at bigint, expires_at bigint);

-- name: insert_link_names
-- Inserts the names by which links are found.
INSERT INTO link_names (site_id, kind, name_key, cell, visit_id)
SELECT * FROM rows(site_id bigint, kind smallint, name_key bigint, cell smallint, visit_id bigint)
WHERE true
ON CONFLICT (site_id, kind, name_key, cell, visit_id) DO NOTHING;
