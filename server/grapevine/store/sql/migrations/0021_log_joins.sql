-- Lines of access logs (docs/decisions/0075). `visits.flags` has a further bit, 8: a line of a web server's log showed the
-- visit, and no script reported it.

-- With which line of a log a visit was joined that a page's script reported as well, so that the line is no second visit.
-- `line_key` is a keyed hash of the line; a visit takes one line.
CREATE TABLE log_joins (
    site_id     BIGINT   NOT NULL,
    visit_id    BIGINT   NOT NULL,
    cell        SMALLINT NOT NULL,
    line_key    BIGINT   NOT NULL,
    PRIMARY KEY (site_id, visit_id, cell)
) /*sqlite WITHOUT ROWID */;
CREATE INDEX log_joins_line ON log_joins (line_key);
