-- One row that `/readyz` writes anew, to see that the store takes writes. `filler` is as large as a visit with its counts.
CREATE TABLE readiness (
    name        TEXT     NOT NULL,
    filler      TEXT     NOT NULL,
    PRIMARY KEY (name)
) /*sqlite WITHOUT ROWID */;
