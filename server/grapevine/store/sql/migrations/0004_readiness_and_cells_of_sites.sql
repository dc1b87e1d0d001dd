-- One row that `/readyz` writes anew, to see that the store takes writes. `filler` is as large as a visit with its counts.
CREATE TABLE readiness (
    name        TEXT     NOT NULL,
    filler      TEXT     NOT NULL,
    PRIMARY KEY (name)
) /*sqlite WITHOUT ROWID */;

-- In how many of the 4,096 cells the cascades of a site begin, so that the cell in a token names the few sites that may
-- have signed it. The visits of sites from before this column are in all of them.
ALTER TABLE sites ADD COLUMN cells INTEGER NOT NULL DEFAULT 4096;
