-- What the erasure of a visit needs to know.

-- The views of a visit in later hours than the one it began in, by hour: they count in their own hours, and an erasure
-- takes them back there. Of visits from before this table all views are taken back in the first hour.
CREATE TABLE later_views (
    site_id     BIGINT   NOT NULL,
    visit_id    BIGINT   NOT NULL,
    cell        SMALLINT NOT NULL,
    hour        BIGINT   NOT NULL,
    views       INTEGER  NOT NULL,
    PRIMARY KEY (site_id, visit_id, cell, hour)
) /*sqlite WITHOUT ROWID */;

-- A number that rises with every erasure, so that each process drops what it remembers to be stored.
INSERT INTO versions (name, version) VALUES ('erasures', 1);
