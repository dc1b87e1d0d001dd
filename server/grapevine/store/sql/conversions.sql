-- name: guards_of_conversions
-- Returns who reported some conversions, and the visits in which they are stored; null where that was deleted.
SELECT g.guard_key, g.reported_by, g.visit_id
FROM rows(guard_key bigint, cell smallint)
/*sqlite CROSS */ JOIN guards g
  ON g.site_id = :site_id AND g.kind = 4 AND g.guard_key = rows.guard_key AND g.cell = rows.cell;

-- name: conversions_of_keys
-- Returns those of these conversions that are stored.
SELECT {{conversion_columns}}
FROM rows(visit_id bigint, cell smallint, event_key bigint)
/*sqlite CROSS */ JOIN conversions c ON c.site_id = :site_id AND c.visit_id = rows.visit_id AND c.cell = rows.cell
  AND c.event_key = rows.event_key;

-- name: refunds_of_key
-- Returns the refunds of a conversion, the oldest first.
SELECT {{conversion_columns}}
FROM conversions c
WHERE c.cell = :cell AND c.site_id = :site_id AND c.visit_id = :visit_id AND c.refunded_key = :event_key
ORDER BY c.at, c.event_key;
