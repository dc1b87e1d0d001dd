-- Pages that are one page (docs/decisions/0047).

-- Pages that were stored under another address than the one that pages have now, and the page that each becomes: a job joins
-- them in small steps. A row goes when its page is joined.
CREATE TABLE page_joins (
    site_id     BIGINT   NOT NULL,
    page_id     BIGINT   NOT NULL,
    joined_id   BIGINT   NOT NULL,
    PRIMARY KEY (site_id, page_id)
) /*sqlite WITHOUT ROWID */;

-- The step at which the job is.
INSERT INTO versions (name, version) VALUES ('page_joins', 0);
