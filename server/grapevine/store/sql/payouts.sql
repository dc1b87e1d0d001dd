-- name: payable_conversions
-- Returns the conversions and refunds of a period, of a goal or of all.
SELECT c.visit_id, c.goal, c.event_key, c.external_id, c.at, c.value, c.currency, c.refund_of
FROM conversions c
WHERE c.site_id = :site_id AND c.at >= :start AND c.at < :end AND c.reported_by >= :least_reporter
  AND (CAST(:goal AS TEXT) IS NULL OR c.goal = :goal)
LIMIT :limit;

-- name: payable_conversions_of_visits
-- Returns the conversions of some visits, refunds left out.
SELECT c.visit_id, c.goal, c.event_key, c.external_id, c.at, c.value, c.currency, c.refund_of
FROM rows(visit_id bigint, cell smallint)
/*sqlite CROSS */ JOIN conversions c ON c.site_id = :site_id AND c.visit_id = rows.visit_id AND c.cell = rows.cell
WHERE c.refund_of IS NULL;

-- name: referral_visits
-- Returns some visits with the hashes by which those of one day are compared.
SELECT v.visit_id, v.at, v.channel, v.via_id, v.parent_id, v.depth, v.flags, v.verdict, v.visitor, v.network
FROM rows(visit_id bigint, cell smallint)
/*sqlite CROSS */ JOIN visits v ON v.site_id = :site_id AND v.visit_id = rows.visit_id AND v.cell = rows.cell;

-- name: networks_of_links
-- Returns how many visits below some minted links came from each wide network on each day. Left out are self-returns,
-- suspects and erased visits.
SELECT v.root_id, v.at / 86400000 AS unix_day, v.network / 16777216 AS wide_network, count(*)
FROM rows(visit_id bigint, cell smallint)
/*sqlite CROSS */ JOIN visits v /*sqlite INDEXED BY visits_root */
  ON v.site_id = :site_id AND v.root_id = rows.visit_id AND v.cell = rows.cell
WHERE (v.flags & 5) = 0 AND v.network IS NOT NULL AND v.at >= :start AND v.at < :end
GROUP BY v.root_id, v.cell, v.at / 86400000, v.network / 16777216;
