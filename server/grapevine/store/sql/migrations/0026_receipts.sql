-- Signed receipts of conversions (docs/decisions/0080).

-- A receipt, one row each; a conversion may have several, of which at most one is not revoked. `event_key` and `visit_id` name the
-- conversion, `cell` is the cell of its visit. `document` is the signed text. `pseudonym_salt` (base64url of 32 random bytes) is the
-- key of its pseudonyms. `reason` is why it was revoked: `refund`, `erasure` or `replaced`; the signature of a revocation is
-- made when it is asked for. A revocation takes `document` and `pseudonym_salt` away, so that no pseudonym leads to anybody any more.
CREATE TABLE receipts (
    site_id        BIGINT   NOT NULL,
    visit_id       BIGINT   NOT NULL,
    cell           SMALLINT NOT NULL,
    event_key      BIGINT   NOT NULL,
    receipt_id     TEXT     NOT NULL,
    kid            TEXT     NOT NULL,
    issued_at      BIGINT   NOT NULL,
    document       TEXT,
    pseudonym_salt TEXT,
    revoked_at     BIGINT,
    reason         TEXT,
    PRIMARY KEY (site_id, visit_id, cell, event_key, receipt_id)
) /*sqlite WITHOUT ROWID */;

-- The visits that a receipt which is not revoked has pseudonyms of, `sharer_id` one each: an erasure finds by them what it has to
-- revoke. The other columns are the receipt's; the chain of its visit lies in the same cell.
CREATE TABLE receipt_sharers (
    site_id     BIGINT   NOT NULL,
    visit_id    BIGINT   NOT NULL,
    cell        SMALLINT NOT NULL,
    event_key   BIGINT   NOT NULL,
    receipt_id  TEXT     NOT NULL,
    sharer_id   BIGINT   NOT NULL,
    PRIMARY KEY (site_id, visit_id, cell, event_key, receipt_id, sharer_id)
) /*sqlite WITHOUT ROWID */;
CREATE INDEX receipt_sharers_sharer ON receipt_sharers (site_id, sharer_id, cell);

-- The public keys that receipts of a site are or were signed with, by their `kid`. They stay when the secret key that they came
-- from is gone, so that old receipts can be verified. `public_key` is base64url of the 32 bytes of Ed25519.
CREATE TABLE receipt_keys (
    site_id     BIGINT   NOT NULL,
    kid         TEXT     NOT NULL,
    public_key  TEXT     NOT NULL,
    created_at  BIGINT   NOT NULL,
    PRIMARY KEY (site_id, kid)
) /*sqlite WITHOUT ROWID */;
