-- name: webhooks_of_site
-- Returns the webhook endpoints of a site, oldest first.
SELECT webhook_id, site_id, url, secret, events, created_at, disabled_at, reason, failing_since, paused_at, paused_until
FROM webhooks
WHERE site_id = :site_id ORDER BY created_at, webhook_id /*postgres COLLATE "C" */;

-- name: webhook
-- Returns one endpoint of a site.
SELECT webhook_id, site_id, url, secret, events, created_at, disabled_at, reason, failing_since, paused_at, paused_until
FROM webhooks
WHERE webhook_id = :webhook_id AND site_id = :site_id;

-- name: number_of_webhooks
-- Returns how many endpoints a site has.
SELECT count(*) FROM webhooks WHERE site_id = :site_id;

-- name: insert_webhook
-- Inserts an endpoint.
INSERT INTO webhooks (webhook_id, site_id, url, secret, events, created_at)
VALUES (:webhook_id, :site_id, :url, :secret, :events, :created_at);

-- name: webhook_secrets
-- Returns the secret of every endpoint, as it is stored.
SELECT webhook_id, secret FROM webhooks;

-- name: replace_webhook_secret
-- Stores a secret in another form, unless it has been changed meanwhile.
UPDATE webhooks SET secret = :secret WHERE webhook_id = :webhook_id AND secret = :before;

-- name: lock_webhook
-- Makes concurrent changes of an endpoint follow one another; SQLite's transactions do so anyway.
/*postgres SELECT webhook_id FROM webhooks WHERE webhook_id = :webhook_id AND site_id = :site_id FOR UPDATE */;

-- name: update_webhook
-- Changes an endpoint; one without `disabled_at` gets events.
UPDATE webhooks SET url = :url, events = :events, disabled_at = :disabled_at, reason = :reason,
    failing_since = :failing_since, paused_at = :paused_at, paused_until = :paused_until
WHERE webhook_id = :webhook_id AND site_id = :site_id RETURNING webhook_id;

-- name: delete_webhook
-- Deletes an endpoint.
DELETE FROM webhooks WHERE webhook_id = :webhook_id AND site_id = :site_id RETURNING webhook_id;

-- name: delete_deliveries
-- Deletes the deliveries of an endpoint, pending and settled.
DELETE FROM deliveries WHERE webhook_id = :webhook_id;

-- name: insert_deliveries
-- Inserts pending deliveries.
INSERT INTO deliveries (
    delivery_id, webhook_id, site_id, event, payload, created_at, attempts, next_at, visit_id, via_id, link_id
)
SELECT * FROM rows(delivery_id text, webhook_id text, site_id bigint, event text, payload text, created_at bigint, attempts integer, next_at bigint, visit_id bigint, via_id bigint, link_id bigint);

-- name: touch_webhooks
-- Makes all processes read which sites have endpoints for which events.
INSERT INTO versions AS v (name, version) VALUES ('webhooks', 1)
ON CONFLICT (name) DO UPDATE SET version = v.version + 1;

-- name: subscriptions
-- Returns the events of every endpoint that gets some, and its site.
SELECT site_id, events FROM webhooks WHERE disabled_at IS NULL;

-- name: urls_of_pages
-- Returns the URLs of some pages of several sites.
SELECT p.site_id, p.page_id, p.url
FROM rows(site_id bigint, page_id bigint, cell smallint)
/*sqlite CROSS */ JOIN pages p ON p.site_id = rows.site_id AND p.page_id = rows.page_id AND p.cell = rows.cell;

-- name: post_events
-- Puts events on their way to every endpoint of their site that wants them, once. A delivery is named after its event
-- and its endpoint, whose id is 'wh_' and what is unique in it.
INSERT INTO deliveries (
    delivery_id, webhook_id, site_id, event, payload, created_at, attempts, next_at, visit_id, via_id, link_id
)
SELECT rows.message || '_' || substr(w.webhook_id, 4), w.webhook_id, w.site_id, rows.event, rows.payload, rows.at, 0, rows.at,
    rows.visit_id, rows.via_id, rows.link_id
FROM rows(message text, site_id bigint, event text, payload text, at bigint, visit_id bigint, via_id bigint, link_id bigint)
JOIN webhooks w ON w.site_id = rows.site_id
WHERE w.disabled_at IS NULL AND ' ' || w.events || ' ' LIKE '% ' || rows.event || ' %'
ON CONFLICT (delivery_id) DO NOTHING;

-- name: due_deliveries
-- Returns the deliveries that are due, the longest due first; of a paused endpoint those with which it is tried.
SELECT d.delivery_id, d.webhook_id, d.site_id, d.event, d.payload, d.created_at, d.attempts, d.next_at, w.url, w.secret,
    w.paused_at
FROM deliveries d JOIN webhooks w ON w.webhook_id = d.webhook_id
WHERE d.next_at <= :now AND (w.paused_until IS NULL OR w.paused_until <= :now)
ORDER BY d.next_at LIMIT :limit;

-- name: waiting_deliveries
-- Counts the deliveries that wait for an attempt, at most `limit`.
SELECT count(*) FROM (SELECT 1 FROM deliveries WHERE next_at IS NOT NULL LIMIT :limit) AS waiting;

-- name: claim_delivery
-- Claims one delivery for an attempt, unless another process has; the claim expires, so that a process that dies does
-- not keep it.
UPDATE deliveries SET next_at = :until, attempts = attempts + 1
WHERE delivery_id = :delivery_id AND next_at = :seen RETURNING attempts;

-- name: settle_delivery
-- Stores the result of an attempt; a delivered event stays delivered.
UPDATE deliveries
SET next_at = :next_at, delivered_at = :delivered_at, failed_at = :failed_at, status = :status, error = :error
WHERE delivery_id = :delivery_id AND delivered_at IS NULL;

-- name: postpone_deliveries
-- Postpones the due deliveries of an endpoint that has just failed to the next attempt of the failed event.
UPDATE deliveries SET next_at = :until WHERE webhook_id = :webhook_id AND next_at <= :now;

-- name: note_failure
-- Notes that an endpoint did not accept an event, unless it has failed before; returns since when it has accepted none.
UPDATE webhooks SET failing_since = COALESCE(failing_since, :at) WHERE webhook_id = :webhook_id
RETURNING failing_since, paused_at;

-- name: pause_webhook
-- Pauses an endpoint until it is tried again.
UPDATE webhooks SET paused_at = COALESCE(paused_at, :at), paused_until = :until, reason = :reason
WHERE webhook_id = :webhook_id AND disabled_at IS NULL;

-- name: try_paused_webhook
-- Claims a paused endpoint for one attempt, unless another process has.
UPDATE webhooks SET paused_until = :until WHERE webhook_id = :webhook_id AND (paused_until IS NULL OR paused_until <= :now)
RETURNING webhook_id;

-- name: resume_webhook
-- Notes that an endpoint accepts events; returns it if it was paused. One that never failed is not touched.
UPDATE webhooks SET failing_since = NULL, paused_at = NULL, paused_until = NULL, reason = NULL
WHERE webhook_id = :webhook_id AND failing_since IS NOT NULL AND disabled_at IS NULL
RETURNING webhook_id;

-- name: resume_deliveries
-- Makes the pending deliveries of an endpoint due, but not those that a process may be sending.
UPDATE deliveries SET next_at = :now, attempts = 0 WHERE webhook_id = :webhook_id AND next_at > :claimed_until;

-- name: paused_webhooks
-- Returns the endpoints that are paused.
SELECT webhook_id, site_id FROM webhooks WHERE paused_at IS NOT NULL AND disabled_at IS NULL;

-- name: give_up_excess
-- Gives up the pending deliveries of an endpoint that are older than its newest `most`; returns them.
UPDATE deliveries SET next_at = NULL, failed_at = :at, error = :error
WHERE delivery_id IN (
    SELECT delivery_id FROM deliveries WHERE webhook_id = :webhook_id AND next_at IS NOT NULL
    ORDER BY created_at DESC, delivery_id /*postgres COLLATE "C" */ LIMIT :limit OFFSET :most
) RETURNING delivery_id;

-- name: resend_deliveries
-- Makes at most `limit` failed events of an endpoint pending once more, the oldest first; returns them.
UPDATE deliveries SET next_at = :now, attempts = 0, failed_at = NULL
WHERE delivery_id IN (
    SELECT delivery_id FROM deliveries
    WHERE webhook_id = :webhook_id AND site_id = :site_id AND failed_at IS NOT NULL AND next_at IS NULL
      AND created_at >= :since
    ORDER BY created_at, delivery_id /*postgres COLLATE "C" */ LIMIT :limit
) RETURNING delivery_id;

-- name: delivered_since
-- Returns whether an endpoint accepted anything since a moment.
SELECT 1 FROM deliveries WHERE webhook_id = :webhook_id AND delivered_at >= :since LIMIT 1;

-- name: disable_webhook
-- Disables an endpoint.
UPDATE webhooks SET disabled_at = :at, reason = :reason, failing_since = NULL, paused_at = NULL, paused_until = NULL
WHERE webhook_id = :webhook_id AND disabled_at IS NULL;

-- name: give_up_deliveries
-- Gives up the pending deliveries of an endpoint.
UPDATE deliveries SET next_at = NULL, failed_at = :at, error = :error
WHERE webhook_id = :webhook_id AND next_at IS NOT NULL;

-- name: deliveries_of_webhook
-- Returns the events of an endpoint, the newest first, from behind a position in this order.
SELECT delivery_id, event, payload, created_at, attempts, next_at, delivered_at, failed_at, status, error
FROM deliveries WHERE webhook_id = :webhook_id AND site_id = :site_id
  AND (created_at < :before OR (created_at = :before AND delivery_id /*postgres COLLATE "C" */ > :after_id))
ORDER BY created_at DESC, delivery_id /*postgres COLLATE "C" */ LIMIT :limit;

-- name: retry_delivery
-- Makes a delivered or failed event pending once more.
UPDATE deliveries SET next_at = :now, attempts = 0, delivered_at = NULL, failed_at = NULL
WHERE delivery_id = :delivery_id AND webhook_id = :webhook_id AND site_id = :site_id AND next_at IS NULL
RETURNING delivery_id;

-- name: forget_deliveries
-- Deletes old settled deliveries.
DELETE FROM deliveries WHERE next_at IS NULL AND created_at < :before;
