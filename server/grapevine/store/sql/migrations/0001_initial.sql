-- The whole schema. Rules that hold for every table, so that the same text runs on SQLite, PostgreSQL and Citus:
-- Times are UTC milliseconds; hours and days are whole numbers since the epoch of their unit (hour: 1970, day: 2020-01-01);
-- every event table has `cell` in its primary key and in every unique index; no sequences, triggers or foreign keys.
-- `/*sqlite … */` is for SQLite only, `/*postgres … */` for PostgreSQL. Hashes of pages and visitors have 48 bits, which saves two
-- bytes in each row and index.

-- One website that embeds the widget. `salt` (hex) separates its tokens and visitor hashes from every other site's.
CREATE TABLE sites (
    site_id     BIGINT   NOT NULL,
    key         TEXT     NOT NULL,
    name        TEXT     NOT NULL,
    salt        TEXT     NOT NULL,
    param       TEXT     NOT NULL DEFAULT 'gv',
    place       TEXT     NOT NULL DEFAULT 'auto',
    query       TEXT     NOT NULL DEFAULT '*',
    created_at  BIGINT   NOT NULL,
    element     TEXT     NOT NULL DEFAULT 'grapevine',
    PRIMARY KEY (site_id)
);
CREATE UNIQUE INDEX sites_key ON sites (key);

-- The origins (scheme://host[:port]) whose pages belong to a site; `position` keeps their given order.
CREATE TABLE origins (
    site_id     BIGINT   NOT NULL,
    origin      TEXT     NOT NULL,
    position    SMALLINT NOT NULL,
    PRIMARY KEY (site_id, origin)
) /*sqlite WITHOUT ROWID */;

-- API keys: only the SHA-256 (hex) is kept. `site_id` 0 is a key made for all sites. `scope` is read, write or admin.
CREATE TABLE api_keys (
    key_id      TEXT     NOT NULL,
    site_id     BIGINT   NOT NULL,
    name        TEXT     NOT NULL,
    scope       TEXT     NOT NULL,
    hash        TEXT     NOT NULL,
    created_at  BIGINT   NOT NULL,
    revoked_at  BIGINT,
    PRIMARY KEY (key_id)
);
CREATE UNIQUE INDEX api_keys_hash ON api_keys (hash);

-- Keys of the server itself: `kind` visitor (one a day, destroyed after 48 hours) or nonce (one, never rotated).
CREATE TABLE salts (
    kind        TEXT     NOT NULL,
    day         BIGINT   NOT NULL,
    value       TEXT     NOT NULL,
    PRIMARY KEY (kind, day)
) /*sqlite WITHOUT ROWID */;

-- Origin + path + kept query parameters. `page_id` is a hash of (site, url); `day` is the day it was first seen.
CREATE TABLE pages (
    site_id     BIGINT   NOT NULL,
    page_id     BIGINT   NOT NULL,
    cell        SMALLINT NOT NULL,
    day         BIGINT   NOT NULL,
    url         TEXT     NOT NULL,
    title       TEXT,
    PRIMARY KEY (site_id, page_id, cell)
) /*sqlite WITHOUT ROWID */;
CREATE INDEX pages_day ON pages (site_id, day);

-- One arrival of a browser. `channel`, `n` and `via_id` identify the share it came through: `via_id` is the visit named in
-- the token, null where it equals `parent_id`. `parent_id` is the visit's parent in the cascade (never a self-return),
-- `root_id` the cascade's first visit; both are null at a root. `flags`: 1 aside (a self-return, or a visit with a verdict:
-- not counted in its cascade, and without children), 2 same network, 4 erased. `verdict` is why it is not a person's visit
-- and counts nowhere.
-- `reason` is why its token was invalid. `nonce_check` (32 bits) distinguishes a retry from a collision of ids.
-- `next_view` is the number that the visit's next view will have, one more than `views`: SQLite stores 0 and 1 without a
-- byte, and a row that grows by a byte splits its full page.
-- Rows are stored in insertion order, which keeps a batch's writes together; on SQLite the clustered alternative puts
-- every row of a busy day on a page of its own. The indexes of pages, roots and parents leave out the site: their hashes
-- and ids belong to one site already.
CREATE TABLE visits (
    site_id     BIGINT   NOT NULL,
    visit_id    BIGINT   NOT NULL,
    cell        SMALLINT NOT NULL,
    nonce_check BIGINT   NOT NULL,
    at          BIGINT   NOT NULL,
    next_view   INTEGER  NOT NULL,
    page_id     BIGINT   NOT NULL,
    source      SMALLINT NOT NULL,
    device      SMALLINT NOT NULL,
    app         TEXT,
    visitor     BIGINT,
    channel     SMALLINT,
    n           SMALLINT,
    via_id      BIGINT,
    parent_id   BIGINT,
    root_id     BIGINT,
    depth       INTEGER  NOT NULL,
    flags       SMALLINT NOT NULL,
    reason      SMALLINT,
    verdict     SMALLINT,
    views       INTEGER GENERATED ALWAYS AS (next_view - 1) /*postgres STORED */,
    PRIMARY KEY (site_id, visit_id, cell)
);
CREATE INDEX visits_page ON visits (page_id, (at / 86400000));
CREATE INDEX visits_root ON visits (root_id) WHERE root_id IS NOT NULL;
CREATE INDEX visits_parent ON visits (parent_id) WHERE parent_id IS NOT NULL;
CREATE INDEX visits_verdict ON visits (site_id, at) WHERE verdict IS NOT NULL;

-- One act of sharing: the `n`-th through `channel` in a visit. `first_at` is when it was first reported or proven; a row
-- without it was opened only by its own sharer and counts nowhere. `page_id` is the shared page.
CREATE TABLE shares (
    site_id      BIGINT   NOT NULL,
    visit_id     BIGINT   NOT NULL,
    cell         SMALLINT NOT NULL,
    channel      SMALLINT NOT NULL,
    n            SMALLINT NOT NULL,
    page_id      BIGINT,
    first_at     BIGINT,
    reported_at  BIGINT,
    proven_at    BIGINT,
    returns      INTEGER  NOT NULL DEFAULT 0,
    self_returns INTEGER  NOT NULL DEFAULT 0,
    PRIMARY KEY (site_id, visit_id, cell, channel, n)
) /*sqlite WITHOUT ROWID */;
/*postgres CREATE INDEX shares_at ON shares (site_id, first_at) WHERE first_at IS NOT NULL; */

-- A preview robot fetched a share's link: at most one row a share, app and hour.
CREATE TABLE unfurls (
    site_id     BIGINT   NOT NULL,
    visit_id    BIGINT   NOT NULL,
    cell        SMALLINT NOT NULL,
    channel     SMALLINT NOT NULL,
    n           SMALLINT NOT NULL,
    app         TEXT     NOT NULL,
    hour        BIGINT   NOT NULL,
    at          BIGINT   NOT NULL,
    PRIMARY KEY (site_id, visit_id, cell, channel, n, app, hour)
) /*sqlite WITHOUT ROWID */;
/*postgres CREATE INDEX unfurls_at ON unfurls (site_id, at); */

-- A goal reached in a visit. `value` is in millionths of `currency` (exact, no floating point); null if none was given.
CREATE TABLE conversions (
    site_id     BIGINT   NOT NULL,
    visit_id    BIGINT   NOT NULL,
    cell        SMALLINT NOT NULL,
    goal        TEXT     NOT NULL,
    event_key   BIGINT   NOT NULL,
    external_id TEXT,
    at          BIGINT   NOT NULL,
    value       BIGINT,
    currency    TEXT,
    PRIMARY KEY (site_id, visit_id, cell, goal, event_key)
) /*sqlite WITHOUT ROWID */;
CREATE INDEX conversions_at ON conversions (site_id, at);

-- A visitor's answer to "how did you hear about us?". `visit_id` is 0 if no visit was named.
CREATE TABLE answers (
    site_id     BIGINT   NOT NULL,
    visit_id    BIGINT   NOT NULL,
    cell        SMALLINT NOT NULL,
    event_key   BIGINT   NOT NULL,
    at          BIGINT   NOT NULL,
    text        TEXT     NOT NULL,
    contact     TEXT,
    class       TEXT,
    PRIMARY KEY (site_id, visit_id, cell, event_key)
) /*sqlite WITHOUT ROWID */;
CREATE INDEX answers_at ON answers (site_id, at);

-- Minted links: each is a node (`visit_id`) of source `link`, the parent of the returns through it. They never expire.
CREATE TABLE links (
    site_id     BIGINT   NOT NULL,
    visit_id    BIGINT   NOT NULL,
    cell        SMALLINT NOT NULL,
    channel     SMALLINT NOT NULL,
    url         TEXT     NOT NULL,
    label       TEXT,
    external_id TEXT,
    campaign    TEXT,
    created_at  BIGINT   NOT NULL,
    PRIMARY KEY (site_id, visit_id, cell)
) /*sqlite WITHOUT ROWID */;

-- Counts, narrow on purpose; `cell` is the slot of the writer that raised them, and readers add the slots up.
-- The columns after the key are the same in all four; `visits` includes self-returns, `unlinked` are visits of people who
-- asked not to be followed (counted, no row). `channel` -1 is an arrival without a share.
CREATE TABLE counts_hour (
    site_id      BIGINT   NOT NULL,
    hour         BIGINT   NOT NULL,
    source       SMALLINT NOT NULL,
    channel      SMALLINT NOT NULL,
    depth        INTEGER  NOT NULL,
    cell         SMALLINT NOT NULL,
    views        BIGINT   NOT NULL DEFAULT 0,
    visits       BIGINT   NOT NULL DEFAULT 0,
    visitors     BIGINT   NOT NULL DEFAULT 0,
    returns      BIGINT   NOT NULL DEFAULT 0,
    self_returns BIGINT   NOT NULL DEFAULT 0,
    same_network BIGINT   NOT NULL DEFAULT 0,
    shares       BIGINT   NOT NULL DEFAULT 0,
    reported     BIGINT   NOT NULL DEFAULT 0,
    proven       BIGINT   NOT NULL DEFAULT 0,
    conversions  BIGINT   NOT NULL DEFAULT 0,
    unlinked     BIGINT   NOT NULL DEFAULT 0,
    unfurls      BIGINT   NOT NULL DEFAULT 0,
    PRIMARY KEY (site_id, hour, source, channel, depth, cell)
) /*sqlite WITHOUT ROWID */;

-- Daily counts by one dimension at a time, for the most frequent queries: `dimension` says what `key` is (0 the channel, 1 the
-- source, 2 the depth, 3 the hour of the day). A busy site has hardly more of these rows a day than a small one; counts_hour,
-- with a row for each combination of source, channel and depth, has many times more.
CREATE TABLE counts_day (
    site_id      BIGINT   NOT NULL,
    day          BIGINT   NOT NULL,
    dimension    SMALLINT NOT NULL,
    key          INTEGER  NOT NULL,
    cell         SMALLINT NOT NULL,
    views        BIGINT   NOT NULL DEFAULT 0,
    visits       BIGINT   NOT NULL DEFAULT 0,
    visitors     BIGINT   NOT NULL DEFAULT 0,
    returns      BIGINT   NOT NULL DEFAULT 0,
    self_returns BIGINT   NOT NULL DEFAULT 0,
    same_network BIGINT   NOT NULL DEFAULT 0,
    shares       BIGINT   NOT NULL DEFAULT 0,
    reported     BIGINT   NOT NULL DEFAULT 0,
    proven       BIGINT   NOT NULL DEFAULT 0,
    conversions  BIGINT   NOT NULL DEFAULT 0,
    unlinked     BIGINT   NOT NULL DEFAULT 0,
    unfurls      BIGINT   NOT NULL DEFAULT 0,
    PRIMARY KEY (site_id, day, dimension, key, cell)
) /*sqlite WITHOUT ROWID */;

CREATE TABLE counts_page (
    site_id      BIGINT   NOT NULL,
    day          BIGINT   NOT NULL,
    page_id      BIGINT   NOT NULL,
    cell         SMALLINT NOT NULL,
    views        BIGINT   NOT NULL DEFAULT 0,
    visits       BIGINT   NOT NULL DEFAULT 0,
    visitors     BIGINT   NOT NULL DEFAULT 0,
    returns      BIGINT   NOT NULL DEFAULT 0,
    self_returns BIGINT   NOT NULL DEFAULT 0,
    same_network BIGINT   NOT NULL DEFAULT 0,
    shares       BIGINT   NOT NULL DEFAULT 0,
    reported     BIGINT   NOT NULL DEFAULT 0,
    proven       BIGINT   NOT NULL DEFAULT 0,
    conversions  BIGINT   NOT NULL DEFAULT 0,
    unlinked     BIGINT   NOT NULL DEFAULT 0,
    unfurls      BIGINT   NOT NULL DEFAULT 0,
    PRIMARY KEY (site_id, day, page_id, cell)
) /*sqlite WITHOUT ROWID */;

CREATE TABLE counts_device (
    site_id      BIGINT   NOT NULL,
    day          BIGINT   NOT NULL,
    device       SMALLINT NOT NULL,
    app          TEXT     NOT NULL,
    cell         SMALLINT NOT NULL,
    views        BIGINT   NOT NULL DEFAULT 0,
    visits       BIGINT   NOT NULL DEFAULT 0,
    visitors     BIGINT   NOT NULL DEFAULT 0,
    returns      BIGINT   NOT NULL DEFAULT 0,
    self_returns BIGINT   NOT NULL DEFAULT 0,
    same_network BIGINT   NOT NULL DEFAULT 0,
    shares       BIGINT   NOT NULL DEFAULT 0,
    reported     BIGINT   NOT NULL DEFAULT 0,
    proven       BIGINT   NOT NULL DEFAULT 0,
    conversions  BIGINT   NOT NULL DEFAULT 0,
    unlinked     BIGINT   NOT NULL DEFAULT 0,
    unfurls      BIGINT   NOT NULL DEFAULT 0,
    PRIMARY KEY (site_id, day, device, app, cell)
) /*sqlite WITHOUT ROWID */;

-- The columns of a breakdown by page, by seven days (`week` is day / 7): a month of pages is read from a third of the rows of
-- counts_page, and a busy site, all of whose pages have visits every day, has hardly more of them than a quiet one.
CREATE TABLE counts_week (
    site_id      BIGINT   NOT NULL,
    week         BIGINT   NOT NULL,
    page_id      BIGINT   NOT NULL,
    cell         SMALLINT NOT NULL,
    views        BIGINT   NOT NULL DEFAULT 0,
    visits       BIGINT   NOT NULL DEFAULT 0,
    returns      BIGINT   NOT NULL DEFAULT 0,
    shares       BIGINT   NOT NULL DEFAULT 0,
    proven       BIGINT   NOT NULL DEFAULT 0,
    unlinked     BIGINT   NOT NULL DEFAULT 0,
    PRIMARY KEY (site_id, week, page_id, cell)
) /*sqlite WITHOUT ROWID */;

-- All shares of a page since it was first shared, for its buttons. A share counts under the shared page: the one its
-- report named, else the first page of its visit. `cell` is a slot as in the counts above.
CREATE TABLE counts_shared (
    site_id     BIGINT   NOT NULL,
    page_id     BIGINT   NOT NULL,
    channel     SMALLINT NOT NULL,
    cell        SMALLINT NOT NULL,
    shares      BIGINT   NOT NULL,
    PRIMARY KEY (site_id, page_id, channel, cell)
) /*sqlite WITHOUT ROWID */;

-- Events refused on purpose or recognised as repeats. `site_id` 0 where the request named no site of this server.
CREATE TABLE drops (
    site_id     BIGINT   NOT NULL,
    hour        BIGINT   NOT NULL,
    reason      TEXT     NOT NULL,
    cell        SMALLINT NOT NULL,
    drops       BIGINT   NOT NULL,
    PRIMARY KEY (site_id, hour, reason, cell)
) /*sqlite WITHOUT ROWID */;

-- The summary of a cascade, inserted at its first return. `breadth` and `virality` cannot be raised step by step: they are
-- those of the cascade at `shape_size` visits, and are computed again when read.
CREATE TABLE cascades (
    site_id      BIGINT   NOT NULL,
    root_id      BIGINT   NOT NULL,
    cell         SMALLINT NOT NULL,
    page_id      BIGINT   NOT NULL,
    started_at   BIGINT   NOT NULL,
    last_at      BIGINT   NOT NULL,
    size         BIGINT   NOT NULL,
    max_depth    INTEGER  NOT NULL,
    shares       BIGINT   NOT NULL,
    conversions  BIGINT   NOT NULL,
    breadth      BIGINT,
    virality     DOUBLE PRECISION,
    shape_size   BIGINT   NOT NULL DEFAULT 0,
    shape_at     BIGINT   NOT NULL DEFAULT 0,
    PRIMARY KEY (site_id, root_id, cell)
) /*sqlite WITHOUT ROWID */;
CREATE INDEX cascades_recent ON cascades (site_id, last_at);
CREATE INDEX cascades_size ON cascades (site_id, size);
/*postgres CREATE INDEX cascades_depth ON cascades (site_id, max_depth, root_id); */
/*postgres CREATE INDEX cascades_virality ON cascades (site_id, COALESCE(virality, 0.0), root_id); */
/*postgres CREATE INDEX cascades_converted ON cascades (site_id, root_id, cell) WHERE conversions > 0; */
/*postgres CREATE INDEX cascades_stale ON cascades (site_id, shape_at, root_id) WHERE shape_size <> size; */

-- Guards of events that must happen only once although their rows are in other cells: `kind` visitor (first visit of a
-- visitor's day), view, opted_out (nonces recognised for a while), conversion (goal + id). Rows are deleted after `expires_at`.
CREATE TABLE guards (
    site_id     BIGINT   NOT NULL,
    kind        SMALLINT NOT NULL,
    guard_key   BIGINT   NOT NULL,
    cell        SMALLINT NOT NULL,
    expires_at  BIGINT   NOT NULL,
    PRIMARY KEY (site_id, kind, guard_key, cell)
) /*sqlite WITHOUT ROWID */;

-- Machines (a visitor's hash on a day) that opened a link again within a minute, to be judged at `due_at`.
CREATE TABLE suspects (
    site_id     BIGINT   NOT NULL,
    day         BIGINT   NOT NULL,
    visitor     BIGINT   NOT NULL,
    cell        SMALLINT NOT NULL,
    due_at      BIGINT   NOT NULL,
    PRIMARY KEY (site_id, day, visitor, cell)
) /*sqlite WITHOUT ROWID */;
CREATE INDEX suspects_due ON suspects (due_at);

-- Leases of background jobs and of writers' slots: the holder, and when the lease expires.
CREATE TABLE leases (
    name        TEXT     NOT NULL,
    holder      TEXT     NOT NULL,
    expires_at  BIGINT   NOT NULL,
    PRIMARY KEY (name)
) /*sqlite WITHOUT ROWID */;

-- Pages whose returns rose far above their own rate, one row an episode: raised at `started_at`, last seen at `last_at`.
-- `returns` of the hour before it was raised, their `expected` number, and `peak`, the most in any hour since.
CREATE TABLE spikes (
    site_id     BIGINT   NOT NULL,
    page_id     BIGINT   NOT NULL,
    started_at  BIGINT   NOT NULL,
    last_at     BIGINT   NOT NULL,
    returns     INTEGER  NOT NULL,
    expected    DOUBLE PRECISION NOT NULL,
    peak        INTEGER  NOT NULL,
    PRIMARY KEY (site_id, page_id, started_at)
) /*sqlite WITHOUT ROWID */;
CREATE INDEX spikes_started ON spikes (site_id, started_at);

-- Webhook endpoints: `events` are names with spaces between; a disabled endpoint gets nothing, for the given `reason`.
CREATE TABLE webhooks (
    webhook_id  TEXT     NOT NULL,
    site_id     BIGINT   NOT NULL,
    url         TEXT     NOT NULL,
    secret      TEXT     NOT NULL,
    events      TEXT     NOT NULL,
    created_at  BIGINT   NOT NULL,
    disabled_at BIGINT,
    reason      TEXT,
    PRIMARY KEY (webhook_id)
);
CREATE INDEX webhooks_site ON webhooks (site_id);

-- Deliveries of events to an endpoint (at least once, with retries). `next_at` is the time of the next attempt; while a process
-- sends it, when its claim expires; null when it was delivered or given up. `status` and `error` are of the last attempt.
CREATE TABLE deliveries (
    delivery_id TEXT     NOT NULL,
    webhook_id  TEXT     NOT NULL,
    site_id     BIGINT   NOT NULL,
    event       TEXT     NOT NULL,
    payload     TEXT     NOT NULL,
    created_at  BIGINT   NOT NULL,
    attempts    INTEGER  NOT NULL,
    next_at     BIGINT,
    delivered_at BIGINT,
    failed_at   BIGINT,
    status      INTEGER,
    error       TEXT,
    PRIMARY KEY (delivery_id)
);
CREATE INDEX deliveries_next ON deliveries (next_at) WHERE next_at IS NOT NULL;
CREATE INDEX deliveries_webhook ON deliveries (webhook_id, created_at);

-- Pages elsewhere that link to a page of the site, found by a crawl or reported by a webmention.
CREATE TABLE mentions (
    site_id     BIGINT   NOT NULL,
    page_id     BIGINT   NOT NULL,
    cell        SMALLINT NOT NULL,
    mention_key BIGINT   NOT NULL,
    source_url  TEXT     NOT NULL,
    title       TEXT,
    at          BIGINT   NOT NULL,
    PRIMARY KEY (site_id, page_id, cell, mention_key)
) /*sqlite WITHOUT ROWID */;

-- A number that rises with every change of sites, origins or keys, so that each process knows when to read them again.
CREATE TABLE versions (
    name        TEXT     NOT NULL,
    version     BIGINT   NOT NULL,
    PRIMARY KEY (name)
) /*sqlite WITHOUT ROWID */;
INSERT INTO versions (name, version) VALUES ('sites', 1);
