-- name: webhooks_of_site
-- Returns the webhook endpoints of a site, oldest first.
SELECT webhook_id, site_id, url, secret, events, created_at, disabled_at, reason FROM webhooks
WHERE site_id = :site_id ORDER BY created_at, webhook_id /*postgres COLLATE "C" */;

-- name: webhook
-- Returns one endpoint of a site.
SELECT webhook_id, site_id, url, secret, events, created_at, disabled_at, reason FROM webhooks
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
UPDATE webhooks SET url = :url, events = :events, disabled_at = :disabled_at, reason = :reason
WHERE webhook_id = :webhook_id AND site_id = :site_id RETURNING webhook_id;

-- name: delete_webhook
-- Deletes an endpoint.
DELETE FROM webhooks WHERE webhook_id = :webhook_id AND site_id = :site_id RETURNING webhook_id;

-- name: delete_deliveries
-- Deletes the deliveries of an endpoint, pending and settled.
DELETE FROM deliveries WHERE webhook_id = :webhook_id;

-- name: insert_deliveries
-- Inserts pending deliveries.
INSERT INTO deliveries (delivery_id, webhook_id, site_id, event, payload, created_at, attempts, next_at)
SELECT * FROM rows(delivery_id text, webhook_id text, site_id bigint, event text, payload text, created_at bigint, attempts integer, next_at bigint);

-- name: due_deliveries
-- Returns the deliveries that are due, the longest due first.
SELECT d.delivery_id, d.webhook_id, d.site_id, d.event, d.payload, d.created_at, d.attempts, d.next_at, w.url, w.secret
FROM deliveries d JOIN webhooks w ON w.webhook_id = d.webhook_id
WHERE d.next_at <= :now ORDER BY d.next_at LIMIT :limit;

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

-- name: delivered_since
-- Returns whether an endpoint accepted anything since a moment.
SELECT 1 FROM deliveries WHERE webhook_id = :webhook_id AND delivered_at >= :since LIMIT 1;

-- name: disable_webhook
-- Disables an endpoint.
UPDATE webhooks SET disabled_at = :at, reason = :reason WHERE webhook_id = :webhook_id AND disabled_at IS NULL;

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
