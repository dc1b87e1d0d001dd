-- Who reported a share or a conversion, so that a stranger's word never stands for the sharer's or the shop's.

-- Who reported a share: 0 somebody who held its token, 1 the visit's own session. Null while it is not reported, and in
-- rows from before this column, whose page was named by a token that the widget sent without its session.
ALTER TABLE shares ADD COLUMN reported_by SMALLINT;

-- Who reported a conversion: 0 a page, 1 a server with an API key. Rows from before this column count as a page's, which
-- claims less: nothing distinguishes them.
ALTER TABLE conversions ADD COLUMN reported_by SMALLINT NOT NULL DEFAULT 0;

-- In guards of conversions: who reported it (as in conversions), and the visit that has its row, in another cell, so that
-- a report with a key finds the row of a page. Null in other guards and in those from before these columns.
ALTER TABLE guards ADD COLUMN reported_by SMALLINT;
ALTER TABLE guards ADD COLUMN visit_id BIGINT;

-- Whose conversions have a value: `all`, or `keys`, those that a server reported with an API key.
ALTER TABLE sites ADD COLUMN counted_values TEXT NOT NULL DEFAULT 'all';
