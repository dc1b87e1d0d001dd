-- The network that a visit came from: 48 bits that are the same for one network during one day, the upper 24 of them for
-- its wide network (an IPv6 /48), hashed under the salt of `visitor` and meaningless once that is destroyed. Null in rows
-- that were stored before.
ALTER TABLE visits ADD COLUMN network BIGINT;

-- Visits whose shares were opened often from one wide network on a day, to be judged at `due_at`.
CREATE TABLE suspected_floods (
    site_id     BIGINT   NOT NULL,
    parent_id   BIGINT   NOT NULL,
    cell        SMALLINT NOT NULL,
    day         BIGINT   NOT NULL,
    due_at      BIGINT   NOT NULL,
    PRIMARY KEY (site_id, parent_id, cell, day)
) /*sqlite WITHOUT ROWID */;
CREATE INDEX suspected_floods_due ON suspected_floods (due_at);

-- From how many networks the returns of a cascade came, when it had `shape_size` visits: kept and computed again as its
-- shape is. Null where the shape was computed before.
ALTER TABLE cascades ADD COLUMN networks BIGINT;
