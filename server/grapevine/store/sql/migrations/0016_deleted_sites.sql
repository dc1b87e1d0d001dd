-- Sites that are deleted, whose number no other site gets. While a site is still in `sites`, its deletion has begun and not
-- ended: nothing is collected for it any more, and `grapevine site delete` goes on where it stopped. `deleted_at` is when it
-- began (UTC milliseconds).
CREATE TABLE deleted_sites (
    site_id     BIGINT   NOT NULL,
    deleted_at  BIGINT   NOT NULL,
    PRIMARY KEY (site_id)
) /*sqlite WITHOUT ROWID */;
