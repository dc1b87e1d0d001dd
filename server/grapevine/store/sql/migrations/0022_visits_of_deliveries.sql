-- Which visits an event for webhooks names, so that an erasure finds it without a look at each payload. Null where it names none,
-- as all events did that were written before.

-- The visit that the event is about, or the one that shared.
ALTER TABLE deliveries ADD COLUMN visit_id BIGINT;
-- The visit whose share it came through.
ALTER TABLE deliveries ADD COLUMN via_id BIGINT;
-- The node of the minted link with which its cascade began.
ALTER TABLE deliveries ADD COLUMN link_id BIGINT;
CREATE INDEX deliveries_visit ON deliveries (visit_id) WHERE visit_id IS NOT NULL;
CREATE INDEX deliveries_via ON deliveries (via_id) WHERE via_id IS NOT NULL;
CREATE INDEX deliveries_link ON deliveries (link_id) WHERE link_id IS NOT NULL;
