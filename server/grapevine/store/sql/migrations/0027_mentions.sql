-- Pages elsewhere that mention a page of the site: reported by a webmention, or found in a feed (docs/decisions/0082, 0083).

-- A mention. `mention_key` is a keyed hash of the source's address. `kind` is 1 webmention, 2 feed. `at` is when it was first
-- known, `published_at` what its source says, `gone_at` when its source was gone.
CREATE TABLE mentions (
    site_id      BIGINT   NOT NULL,
    page_id      BIGINT   NOT NULL,
    cell         SMALLINT NOT NULL,
    mention_key  BIGINT   NOT NULL,
    kind         SMALLINT NOT NULL,
    feed_id      TEXT,
    source_url   TEXT     NOT NULL,
    title        TEXT,
    author       TEXT,
    published_at BIGINT,
    at           BIGINT   NOT NULL,
    gone_at      BIGINT,
    PRIMARY KEY (site_id, page_id, cell, mention_key)
) /*sqlite WITHOUT ROWID */;
CREATE INDEX mentions_at ON mentions (site_id, at);
CREATE INDEX mentions_page ON mentions (site_id, page_id, at);

-- Webmentions that were accepted: those that wait for their source to be read, and those whose mention is looked at again now and
-- then. `webmention_id` is a hash of site, source and target, so that a repeat finds its row. `next_at` is the time of the next
-- attempt; while a process reads the source, when its claim expires. `attempts` are those that failed in a row; `checks` counts how
-- often the source was seen to link to the target, 0 while the webmention is new.
CREATE TABLE webmentions (
    webmention_id TEXT     NOT NULL,
    site_id       BIGINT   NOT NULL,
    source_url    TEXT     NOT NULL,
    source_host   TEXT     NOT NULL,
    target_url    TEXT     NOT NULL,
    received_at   BIGINT   NOT NULL,
    attempts      INTEGER  NOT NULL,
    checks        INTEGER  NOT NULL,
    next_at       BIGINT   NOT NULL,
    PRIMARY KEY (webmention_id)
);
CREATE INDEX webmentions_site ON webmentions (site_id, received_at);
CREATE INDEX webmentions_next ON webmentions (next_at);
CREATE INDEX webmentions_host ON webmentions (source_host, next_at);
CREATE INDEX webmentions_new ON webmentions (site_id) WHERE checks = 0;

-- When a host that strangers named as a source may be asked again, whatever process asks; a row stays some minutes.
CREATE TABLE fetch_hosts (
    host    TEXT   NOT NULL,
    next_at BIGINT NOT NULL,
    PRIMARY KEY (host)
) /*sqlite WITHOUT ROWID */;

-- Whether a site takes webmentions: `off` or `on`.
ALTER TABLE sites ADD COLUMN webmention TEXT NOT NULL DEFAULT 'off';

-- Feeds that an admin named. `etag` and `last_modified` are what its server said last; a feed that fails is asked less often, and
-- `error` says why.
CREATE TABLE feeds (
    feed_id       TEXT     NOT NULL,
    site_id       BIGINT   NOT NULL,
    url           TEXT     NOT NULL,
    name          TEXT     NOT NULL,
    created_at    BIGINT   NOT NULL,
    checked_at    BIGINT,
    next_at       BIGINT   NOT NULL,
    failures      INTEGER  NOT NULL,
    error         TEXT,
    etag          TEXT,
    last_modified TEXT,
    PRIMARY KEY (feed_id)
);
CREATE INDEX feeds_site ON feeds (site_id);
CREATE INDEX feeds_next ON feeds (next_at);
