-- Sites without visits, and endpoints of webhooks that are paused (docs/decisions/0084).

-- The first failed attempt since an endpoint last accepted something; null while it accepts what it gets.
ALTER TABLE webhooks ADD COLUMN failing_since BIGINT;
-- Since when an endpoint is paused, and when it is tried next; both null while it is not.
ALTER TABLE webhooks ADD COLUMN paused_at BIGINT;
ALTER TABLE webhooks ADD COLUMN paused_until BIGINT;

-- A time in which a site that usually has visits had none: `started_at` is the hour after its last visit, `ended_at` the hour of the
-- next one, null while it lasts.
CREATE TABLE silences (
    site_id     BIGINT   NOT NULL,
    started_at  BIGINT   NOT NULL,
    ended_at    BIGINT,
    PRIMARY KEY (site_id, started_at)
) /*sqlite WITHOUT ROWID */;
