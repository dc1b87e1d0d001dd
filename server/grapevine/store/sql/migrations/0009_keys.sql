-- Fingerprints of the secret keys with which this database is used; the keys themselves are never stored. `rotation` rises with
-- each key that began to sign: the highest one signs. Null is a key that is accepted only, until `grapevine secret rotate` makes
-- it sign.
CREATE TABLE key_fingerprints (
    fingerprint TEXT     NOT NULL,
    rotation    INTEGER,
    PRIMARY KEY (fingerprint)
) /*sqlite WITHOUT ROWID */;

-- The fingerprints of the keys that each running process accepts, with spaces between, until `expires_at`, unless it says so
-- again. The row without a name is the lock under which keys change.
CREATE TABLE key_processes (
    process      TEXT     NOT NULL,
    fingerprints TEXT     NOT NULL,
    expires_at   BIGINT   NOT NULL,
    PRIMARY KEY (process)
) /*sqlite WITHOUT ROWID */;
