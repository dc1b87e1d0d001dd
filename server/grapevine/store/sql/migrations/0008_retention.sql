-- Deletion of visits past retention (docs/retention.md).

-- The horizon: the first day whose visits are kept (`name` is horizon, `day` as in a visit id). It only rises. No row
-- means that nothing was ever deleted.
CREATE TABLE retention (
    name        TEXT     NOT NULL,
    day         BIGINT   NOT NULL,
    PRIMARY KEY (name)
) /*sqlite WITHOUT ROWID */;

-- 1 where the short link of a share was followed; null where it was not, or not yet stored.
ALTER TABLE shares ADD COLUMN followed SMALLINT;

-- The shares of deleted visits whose links may be in print or in use: which page each leads to, and nothing else.
-- `page_id` and `url` as in shares.
CREATE TABLE kept_shares (
    site_id     BIGINT   NOT NULL,
    visit_id    BIGINT   NOT NULL,
    cell        SMALLINT NOT NULL,
    channel     SMALLINT NOT NULL,
    n           SMALLINT NOT NULL,
    page_id     BIGINT   NOT NULL,
    url         TEXT,
    PRIMARY KEY (site_id, visit_id, cell, channel, n)
) /*sqlite WITHOUT ROWID */;

-- How much of the counts comes from rows that were deleted, so that `grapevine doctor` can still compare counts with
-- rows: what counted after the horizon although its visit was before it, by the dimensions of all tables of counts, until
-- its day is past retention, too; and with `hour` -1 the totals without a date: all views of a site, and all shares of a
-- page by channel. `cell` is always 0.
CREATE TABLE deleted_counts (
    site_id     BIGINT   NOT NULL,
    hour        BIGINT   NOT NULL,
    source      SMALLINT NOT NULL,
    channel     SMALLINT NOT NULL,
    depth       INTEGER  NOT NULL,
    page_id     BIGINT   NOT NULL,
    device      SMALLINT NOT NULL,
    app         TEXT     NOT NULL,
    cell        SMALLINT NOT NULL,
    views       BIGINT   NOT NULL,
    shares      BIGINT   NOT NULL,
    reported    BIGINT   NOT NULL,
    proven      BIGINT   NOT NULL,
    conversions BIGINT   NOT NULL,
    unfurls     BIGINT   NOT NULL,
    PRIMARY KEY (site_id, hour, source, channel, depth, page_id, device, app, cell)
) /*sqlite WITHOUT ROWID */;
