-- name: delete_links
-- Deletes minted links, whose nodes are locked.
DELETE FROM links
/*sqlite WHERE (site_id, visit_id, cell) IN (SELECT * FROM rows(site_id bigint, visit_id bigint, cell smallint)) */
/*postgres USING rows(site_id bigint, visit_id bigint, cell smallint)
WHERE links.site_id = rows.site_id AND links.visit_id = rows.visit_id AND links.cell = rows.cell */;

-- name: delete_link_names
-- Deletes names by which links are found.
DELETE FROM link_names
/*sqlite WHERE (site_id, kind, name_key, cell, visit_id) IN (SELECT * FROM rows(site_id bigint, kind smallint, name_key bigint, cell smallint, visit_id bigint)) */
/*postgres USING rows(site_id bigint, kind smallint, name_key bigint, cell smallint, visit_id bigint)
WHERE link_names.site_id = rows.site_id AND link_names.kind = rows.kind AND link_names.name_key = rows.name_key
  AND link_names.cell = rows.cell AND link_names.visit_id = rows.visit_id */;

-- name: words_of_link
-- Returns the words of a link. A site has a thousand at most.
SELECT word_key, cell FROM link_words WHERE site_id = :site_id AND visit_id = :visit_id;

-- name: free_link_words
-- Takes the links out of words, which are kept from other sites from then on.
UPDATE link_words SET visit_id = NULL, freed_at = rows.freed_at
FROM rows(word_key bigint, cell smallint, freed_at bigint)
WHERE link_words.word_key = rows.word_key AND link_words.cell = rows.cell AND link_words.visit_id IS NOT NULL;

-- name: delete_link_clicks
-- Deletes what was counted of the short links of minted links.
DELETE FROM link_clicks
/*sqlite WHERE (site_id, visit_id, cell) IN (SELECT * FROM rows(site_id bigint, visit_id bigint, cell smallint)) */
/*postgres USING rows(site_id bigint, visit_id bigint, cell smallint)
WHERE link_clicks.site_id = rows.site_id AND link_clicks.visit_id = rows.visit_id AND link_clicks.cell = rows.cell */;

-- name: nodes_with_visits
-- Returns those of these nodes in whose cascades there are visits.
SELECT v.site_id, v.root_id, v.cell
FROM rows(site_id bigint, visit_id bigint, cell smallint)
/*sqlite CROSS */ JOIN visits v ON v.site_id = rows.site_id AND v.root_id = rows.visit_id AND v.cell = rows.cell
GROUP BY v.site_id, v.root_id, v.cell;

-- name: make_stubs
-- Leaves of nodes of minted links their positions in the tree, as `make_stub` does of a visit.
UPDATE visits SET at = rows.at, next_view = 1, page_id = 0, source = 0, device = 0, flags = 4
FROM rows(site_id bigint, visit_id bigint, cell smallint, at bigint)
WHERE visits.site_id = rows.site_id AND visits.visit_id = rows.visit_id AND visits.cell = rows.cell;

-- name: forget_roots_of_cascades
-- Removes from summaries of cascades what they say of the nodes of minted links that they begin with.
UPDATE cascades SET page_id = 0, started_at = rows.at
FROM rows(site_id bigint, visit_id bigint, cell smallint, at bigint)
WHERE cascades.site_id = rows.site_id AND cascades.root_id = rows.visit_id AND cascades.cell = rows.cell;

-- name: note_last_returns
-- Notes on minted links the day of the last return below them of which the row is deleted.
UPDATE links SET returned_at = rows.at
FROM rows(site_id bigint, visit_id bigint, cell smallint, at bigint)
WHERE links.site_id = rows.site_id AND links.visit_id = rows.visit_id AND links.cell = rows.cell
  AND (links.returned_at IS NULL OR links.returned_at < rows.at);

-- name: old_external_ids
-- Returns minted links that were made before a time and have an external id that is not kept, in the order in which they
-- were made, behind one of them.
SELECT {{link_columns}}
FROM links l
WHERE l.external_id IS NOT NULL AND l.keep = 0 AND l.created_at < :before AND l.created_at >= :created_at
  AND (l.created_at > :created_at OR l.site_id > :site_id OR (l.site_id = :site_id AND l.visit_id > :visit_id))
ORDER BY l.created_at, l.site_id, l.visit_id LIMIT :limit;

-- name: last_uses_of_links
-- Returns when minted links were followed last, and when something came back below them; 0 for never.
SELECT l.site_id, l.visit_id, max(COALESCE(l.returned_at, 0)), max(COALESCE(k.clicked_at, 0)),
    max(COALESCE(c.last_at, 0))
FROM rows(site_id bigint, visit_id bigint, cell smallint)
JOIN links l ON l.site_id = rows.site_id AND l.visit_id = rows.visit_id AND l.cell = rows.cell
LEFT JOIN link_clicks k ON k.site_id = l.site_id AND k.visit_id = l.visit_id AND k.cell = l.cell
LEFT JOIN cascades c ON c.site_id = l.site_id AND c.root_id = l.visit_id AND c.cell = l.cell
GROUP BY l.site_id, l.visit_id, l.cell;

-- name: drop_external_ids
-- Drops the external ids of minted links.
UPDATE links SET external_id = NULL
FROM rows(site_id bigint, visit_id bigint, cell smallint)
WHERE links.site_id = rows.site_id AND links.visit_id = rows.visit_id AND links.cell = rows.cell AND links.keep = 0;
