-- The live feed (docs/decisions/0065-the-live-feed.md). Nothing is written here while no site is watched.

-- Sites that somebody watches, or watched until a few minutes ago. Each writer announces what it stores of these sites until
-- `expires_at`; `started_at` is since when without a break.
CREATE TABLE live_watches (
    site_id     BIGINT   NOT NULL,
    started_at  BIGINT   NOT NULL,
    expires_at  BIGINT   NOT NULL,
    PRIMARY KEY (site_id)
) /*sqlite WITHOUT ROWID */;

-- Lanes of announcements: those of one lane are committed in the order of their numbers. A process has as many as it stores
-- batches at once; `version` is the one of `versions` (`live`) whose watches it knows.
CREATE TABLE live_lanes (
    lane        BIGINT   NOT NULL,
    process     TEXT     NOT NULL,
    version     BIGINT   NOT NULL,
    expires_at  BIGINT   NOT NULL,
    PRIMARY KEY (lane)
) /*sqlite WITHOUT ROWID */;

-- What a batch stored of a watched site: `events` is JSON of kinds and keys of rows, without anything that these rows say.
-- `number` is a time in UTC milliseconds, or one more than the number before it. Rows go after some minutes.
CREATE TABLE live_batches (
    site_id     BIGINT   NOT NULL,
    lane        BIGINT   NOT NULL,
    number      BIGINT   NOT NULL,
    events      TEXT     NOT NULL,
    PRIMARY KEY (site_id, lane, number)
) /*sqlite WITHOUT ROWID */;

-- Rises when a site is watched that was not.
INSERT INTO versions (name, version) VALUES ('live', 0);
