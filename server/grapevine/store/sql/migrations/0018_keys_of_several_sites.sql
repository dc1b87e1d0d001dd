-- API keys made for several sites, answers kept for repeats, and deletions that servers carry out (docs/decisions/0064).

-- The sites that an API key made for several of them reaches. The `site_id` of such a key is -1.
CREATE TABLE key_sites (
    key_id      TEXT     NOT NULL,
    site_id     BIGINT   NOT NULL,
    PRIMARY KEY (key_id, site_id)
) /*sqlite WITHOUT ROWID */;
CREATE INDEX key_sites_site ON key_sites (site_id);

-- The answers to requests with an `Idempotency-Key`, kept for 24 hours, so that a repeat gets the same. `hash` is the SHA-256
-- (hex) of that header, `request` the one of the method, the URL and the body, `site_id` the site of what was made: 0 where it
-- is for every site, -1 for several. `answer` is encrypted as secrets of webhooks are: it may hold one.
CREATE TABLE kept_answers (
    key_id      TEXT     NOT NULL,
    hash        TEXT     NOT NULL,
    site_id     BIGINT   NOT NULL,
    request     TEXT     NOT NULL,
    status      SMALLINT NOT NULL,
    answer      TEXT     NOT NULL,
    created_at  BIGINT   NOT NULL,
    PRIMARY KEY (key_id, hash)
) /*sqlite WITHOUT ROWID */;
CREATE INDEX kept_answers_created ON kept_answers (created_at);
CREATE INDEX kept_answers_site ON kept_answers (site_id);

-- 1 where the deletion was asked for through the API, so that a server carries it out; 0 where a command does.
ALTER TABLE deleted_sites ADD COLUMN by_server SMALLINT NOT NULL DEFAULT 0;
