-- Minted links (docs/decisions/0070): each is a node of the tree, a row of visits with the source `link`, and a row of `links`.

-- What is said of a minted link. `channel` is the one of its token. `url` is the page that it leads to. `external_id` is the
-- site owner's own name for somebody or something: a contact, a ticket; it is dropped two years after the last click unless
-- `keep` is 1. `places` are the names of up to seven places, with spaces between: the first has `n` 1 in its tokens. After
-- `expires_at` its short links lead nowhere. `returned_at` is the day of the last return through it whose row was deleted.
CREATE TABLE links (
    site_id     BIGINT   NOT NULL,
    visit_id    BIGINT   NOT NULL,
    cell        SMALLINT NOT NULL,
    channel     SMALLINT NOT NULL,
    url         TEXT     NOT NULL,
    label       TEXT,
    external_id TEXT,
    campaign    TEXT,
    word        TEXT,
    places      TEXT     NOT NULL,
    keep        SMALLINT NOT NULL,
    created_at  BIGINT   NOT NULL,
    expires_at  BIGINT,
    returned_at BIGINT,
    PRIMARY KEY (site_id, visit_id, cell)
) /*sqlite WITHOUT ROWID */;
CREATE INDEX links_expiry ON links (expires_at) WHERE expires_at IS NOT NULL;
CREATE INDEX links_external ON links (created_at) WHERE external_id IS NOT NULL AND keep = 0;

-- By which names links are found: `kind` 1 external id, 2 label, 3 campaign; `name_key` is a keyed hash of the name, and `cell`
-- comes from it, so that all links of one name are on one shard.
CREATE TABLE link_names (
    site_id     BIGINT   NOT NULL,
    kind        SMALLINT NOT NULL,
    name_key    BIGINT   NOT NULL,
    cell        SMALLINT NOT NULL,
    visit_id    BIGINT   NOT NULL,
    PRIMARY KEY (site_id, kind, name_key, cell, visit_id)
) /*sqlite WITHOUT ROWID */;

-- Words after `/go/`, one row for all spellings that look or sound alike: `word_key` is a keyed hash of what they have in
-- common. `visit_id` is the link; null where it was deleted, at `freed_at`: the word is kept from other sites for 90 days.
CREATE TABLE link_words (
    word_key    BIGINT   NOT NULL,
    cell        SMALLINT NOT NULL,
    site_id     BIGINT   NOT NULL,
    visit_id    BIGINT,
    freed_at    BIGINT,
    PRIMARY KEY (word_key, cell)
) /*sqlite WITHOUT ROWID */;
CREATE INDEX link_words_site ON link_words (site_id);
CREATE INDEX link_words_freed ON link_words (freed_at) WHERE freed_at IS NOT NULL;

-- How often the short link of a minted link's token was followed by people, and when last.
CREATE TABLE link_clicks (
    site_id     BIGINT   NOT NULL,
    visit_id    BIGINT   NOT NULL,
    cell        SMALLINT NOT NULL,
    channel     SMALLINT NOT NULL,
    n           SMALLINT NOT NULL,
    clicks      BIGINT   NOT NULL,
    clicked_at  BIGINT   NOT NULL,
    PRIMARY KEY (site_id, visit_id, cell, channel, n)
) /*sqlite WITHOUT ROWID */;
