-- name: visit_of_guard
-- Returns the visit that a guard names: that of a conversion, or of a receipt, by its public id.
SELECT visit_id FROM guards
WHERE cell = :cell AND site_id = :site_id AND kind = :kind AND guard_key = :guard_key AND visit_id IS NOT NULL;

-- name: conversion_of_receipt
-- Returns what a receipt says of a conversion.
SELECT c.goal, c.at, c.value, c.currency, c.reported_by FROM conversions c
WHERE c.cell = :cell AND c.site_id = :site_id AND c.visit_id = :visit_id AND c.event_key = :event_key
  AND c.refunded_key IS NULL;

-- name: refunds_of_conversion
-- Returns what was paid back of a conversion, a negative amount in millionths.
SELECT CAST(COALESCE(sum(c.value), 0) AS BIGINT) FROM conversions c
WHERE c.cell = :cell AND c.site_id = :site_id AND c.visit_id = :visit_id
  AND c.refunded_key = :event_key;

-- name: receipts_of_conversion
-- Returns the receipts of a conversion, the revoked ones too, in the order in which they were issued.
SELECT r.receipt_id, r.kid, r.issued_at, r.document, r.pseudonym_salt, r.revoked_at, r.reason FROM receipts r
WHERE r.cell = :cell AND r.site_id = :site_id AND r.visit_id = :visit_id AND r.event_key = :event_key
ORDER BY r.issued_at, r.receipt_id /*postgres COLLATE "C" */;

-- name: receipt_of_visit
-- Returns one receipt of a visit's conversions by its id.
SELECT r.receipt_id, r.kid, r.issued_at, r.document, r.pseudonym_salt, r.revoked_at, r.reason FROM receipts r
WHERE r.cell = :cell AND r.site_id = :site_id AND r.visit_id = :visit_id AND r.receipt_id = :receipt_id;

-- name: insert_receipt
-- Stores a receipt.
INSERT INTO receipts (site_id, visit_id, cell, event_key, receipt_id, kid, issued_at, document, pseudonym_salt)
VALUES (:site_id, :visit_id, :cell, :event_key, :receipt_id, :kid, :issued_at, :document, :pseudonym_salt);

-- name: insert_receipt_sharers
-- Stores of which visits a receipt has pseudonyms.
INSERT INTO receipt_sharers (site_id, visit_id, cell, event_key, receipt_id, sharer_id)
SELECT * FROM rows(site_id bigint, visit_id bigint, cell smallint, event_key bigint, receipt_id text, sharer_id bigint)
WHERE true
ON CONFLICT (site_id, visit_id, cell, event_key, receipt_id, sharer_id) DO NOTHING;

-- name: insert_receipt_key
-- Stores a public key that a site's receipts are signed with, unless it is there.
INSERT INTO receipt_keys (site_id, kid, public_key, created_at) VALUES (:site_id, :kid, :public_key, :created_at)
ON CONFLICT (site_id, kid) DO NOTHING;

-- name: receipt_keys_of_site
-- Returns the public keys of a site's receipts, the newest first.
SELECT kid, public_key, created_at FROM receipt_keys WHERE site_id = :site_id ORDER BY created_at DESC, kid /*postgres COLLATE "C" */ LIMIT :limit;

-- name: good_receipts_of_visits
-- Returns the receipts that are not revoked of the conversions of some visits.
SELECT r.site_id, r.visit_id, r.cell, r.event_key, r.receipt_id
FROM rows(site_id bigint, visit_id bigint, cell smallint)
/*sqlite CROSS */ JOIN receipts r ON r.site_id = rows.site_id AND r.visit_id = rows.visit_id AND r.cell = rows.cell
WHERE r.revoked_at IS NULL LIMIT :limit;

-- name: receipts_with_sharers
-- Returns the receipts that have pseudonyms of some visits.
SELECT s.site_id, s.visit_id, s.cell, s.event_key, s.receipt_id
FROM rows(site_id bigint, visit_id bigint, cell smallint)
/*sqlite CROSS */ JOIN receipt_sharers s /*sqlite INDEXED BY receipt_sharers_sharer */
  ON s.site_id = rows.site_id AND s.sharer_id = rows.visit_id AND s.cell = rows.cell
LIMIT :limit;

-- name: receipts_of_conversions
-- Returns the receipts that are not revoked of some conversions.
SELECT r.site_id, r.visit_id, r.cell, r.event_key, r.receipt_id
FROM rows(site_id bigint, visit_id bigint, cell smallint, event_key bigint)
/*sqlite CROSS */ JOIN receipts r
  ON r.site_id = rows.site_id AND r.visit_id = rows.visit_id AND r.cell = rows.cell AND r.event_key = rows.event_key
WHERE r.revoked_at IS NULL;

-- name: revoke_receipts
-- Revokes some receipts, and takes away what they say.
UPDATE receipts SET revoked_at = :at, reason = :reason, document = NULL, pseudonym_salt = NULL
FROM rows(site_id bigint, visit_id bigint, cell smallint, event_key bigint, receipt_id text)
WHERE receipts.site_id = rows.site_id AND receipts.visit_id = rows.visit_id AND receipts.cell = rows.cell
  AND receipts.event_key = rows.event_key AND receipts.receipt_id = rows.receipt_id AND receipts.revoked_at IS NULL;

-- name: delete_sharers_of_receipts
-- Deletes of which visits some receipts had pseudonyms.
DELETE FROM receipt_sharers
/*sqlite WHERE (site_id, visit_id, cell, event_key, receipt_id) IN (SELECT * FROM rows(site_id bigint, visit_id bigint, cell smallint, event_key bigint, receipt_id text)) */
/*postgres USING rows(site_id bigint, visit_id bigint, cell smallint, event_key bigint, receipt_id text)
WHERE receipt_sharers.site_id = rows.site_id AND receipt_sharers.visit_id = rows.visit_id AND receipt_sharers.cell = rows.cell
  AND receipt_sharers.event_key = rows.event_key AND receipt_sharers.receipt_id = rows.receipt_id */;

-- name: forget_links_of_receipts
-- Takes away the key of the pseudonyms of receipts that name deleted links: no pseudonym leads to one any more.
UPDATE receipts SET pseudonym_salt = NULL
FROM rows(site_id bigint, visit_id bigint, cell smallint, event_key bigint, receipt_id text)
WHERE receipts.site_id = rows.site_id AND receipts.visit_id = rows.visit_id AND receipts.cell = rows.cell
  AND receipts.event_key = rows.event_key AND receipts.receipt_id = rows.receipt_id;

-- name: receipt_ids_of_visits
-- Returns the ids of all receipts of the conversions of some visits.
SELECT r.site_id, r.receipt_id FROM rows(site_id bigint, visit_id bigint, cell smallint)
/*sqlite CROSS */ JOIN receipts r ON r.site_id = rows.site_id AND r.visit_id = rows.visit_id AND r.cell = rows.cell;

-- name: delete_receipt_guards
-- Deletes the guards that find receipts by their ids.
DELETE FROM guards
/*sqlite WHERE (site_id, kind, guard_key, cell) IN (SELECT * FROM rows(site_id bigint, kind smallint, guard_key bigint, cell smallint)) */
/*postgres USING rows(site_id bigint, kind smallint, guard_key bigint, cell smallint)
WHERE guards.site_id = rows.site_id AND guards.kind = rows.kind AND guards.guard_key = rows.guard_key
  AND guards.cell = rows.cell */;

-- name: delete_receipts_of_visits
-- Deletes the receipts of the conversions of some visits.
DELETE FROM receipts
/*sqlite WHERE (site_id, visit_id, cell) IN (SELECT * FROM rows(site_id bigint, visit_id bigint, cell smallint)) */
/*postgres USING rows(site_id bigint, visit_id bigint, cell smallint)
WHERE receipts.site_id = rows.site_id AND receipts.visit_id = rows.visit_id AND receipts.cell = rows.cell */;

-- name: delete_receipt_sharers_of_visits
-- Deletes what receipts of some visits' conversions have pseudonyms of.
DELETE FROM receipt_sharers
/*sqlite WHERE (site_id, visit_id, cell) IN (SELECT * FROM rows(site_id bigint, visit_id bigint, cell smallint)) */
/*postgres USING rows(site_id bigint, visit_id bigint, cell smallint)
WHERE receipt_sharers.site_id = rows.site_id AND receipt_sharers.visit_id = rows.visit_id
  AND receipt_sharers.cell = rows.cell */;

-- name: delete_visits_as_sharers
-- Deletes that receipts have pseudonyms of some visits.
DELETE FROM receipt_sharers
/*sqlite WHERE (site_id, sharer_id, cell) IN (SELECT * FROM rows(site_id bigint, visit_id bigint, cell smallint)) */
/*postgres USING rows(site_id bigint, visit_id bigint, cell smallint)
WHERE receipt_sharers.site_id = rows.site_id AND receipt_sharers.sharer_id = rows.visit_id
  AND receipt_sharers.cell = rows.cell */;
