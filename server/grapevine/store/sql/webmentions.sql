-- name: insert_webmention
-- Inserts a webmention, unless the same one is stored.
INSERT INTO webmentions (
    webmention_id, site_id, source_url, source_host, target_url, received_at, attempts, checks, next_at
)
VALUES (:webmention_id, :site_id, :source_url, :source_host, :target_url, :received_at, 0, 0, :received_at)
ON CONFLICT (webmention_id) DO NOTHING RETURNING webmention_id;

-- name: repeat_webmention
-- Has the source of a stored webmention read anew; one whose source is being read is read once more. One that failed and never
-- succeeded does not become new by it.
UPDATE webmentions SET next_at = CASE WHEN next_at < :now THEN next_at ELSE :now END,
    attempts = CASE WHEN checks = 0 AND attempts > 0 THEN 1 ELSE 0 END
WHERE webmention_id = :webmention_id RETURNING webmention_id;

-- name: new_webmentions
-- Counts the webmentions that wait for their source to be read for the first time, at most `limit`; of a site, if given.
SELECT count(*) FROM (
    SELECT 1 FROM webmentions
    WHERE checks = 0 AND attempts = 0 AND (CAST(:site_id AS BIGINT) IS NULL OR site_id = :site_id) LIMIT :limit
) AS found;

-- name: new_webmentions_of_host
-- Counts the webmentions with a source on a host that wait for it to be read for the first time, at most `limit`.
SELECT count(*) FROM (
    SELECT 1 FROM webmentions WHERE source_host = :host AND checks = 0 AND attempts = 0 LIMIT :limit
) AS found;

-- name: drop_failing_webmentions
-- Deletes the webmentions whose source was never read with success, though it was tried, beyond the `most` that came last; of a
-- site or a source's host, if given.
DELETE FROM webmentions WHERE webmention_id IN (
    SELECT webmention_id FROM webmentions
    WHERE checks = 0 AND attempts > 0 AND (CAST(:site_id AS BIGINT) IS NULL OR site_id = :site_id)
      AND (CAST(:host AS TEXT) IS NULL OR source_host = :host)
    ORDER BY received_at DESC, webmention_id /*postgres COLLATE "C" */ LIMIT 100 OFFSET :most
);

-- name: due_webmentions
-- Returns the webmentions whose source is to be read, the longest due first.
SELECT webmention_id, site_id, source_url, source_host, target_url, received_at, attempts, checks, next_at
FROM webmentions WHERE next_at <= :now ORDER BY next_at LIMIT :limit;

-- name: claim_webmention
-- Claims a webmention, unless another process has; the claim expires, so that a process that dies does not keep it.
UPDATE webmentions SET next_at = :until WHERE webmention_id = :webmention_id AND next_at = :seen
RETURNING webmention_id;

-- name: claim_host
-- Takes the turn of a host; no row where it was asked a moment ago.
INSERT INTO fetch_hosts (host, next_at) VALUES (:host, :until)
ON CONFLICT (host) DO UPDATE SET next_at = excluded.next_at WHERE fetch_hosts.next_at <= :now
RETURNING host;

-- name: turn_of_host
-- Returns when a host may be asked again.
SELECT next_at FROM fetch_hosts WHERE host = :host;

-- name: give_turn_back
-- Gives the turn of a host back that was not used: it may be asked again from a moment on.
UPDATE fetch_hosts SET next_at = :until WHERE host = :host;

-- name: postpone_webmentions
-- Postpones the due webmentions with a source on a host to its next turn.
UPDATE webmentions SET next_at = :until WHERE source_host = :host AND next_at <= :now;

-- name: keep_webmention
-- Plans the next reading of a source, unless the webmention was claimed anew, repeated or deleted meanwhile.
UPDATE webmentions SET next_at = :next_at, attempts = :attempts, checks = :checks
WHERE webmention_id = :webmention_id AND next_at = :claimed RETURNING webmention_id;

-- name: drop_webmention
-- Deletes a webmention, unless it was claimed anew, repeated or deleted meanwhile.
DELETE FROM webmentions WHERE webmention_id = :webmention_id AND next_at = :claimed RETURNING webmention_id;

-- name: forget_hosts
-- Deletes the turns of hosts that may be asked again for a while. It reads the table, of which it deletes all but the last
-- moments: what was asked since the last time.
DELETE FROM fetch_hosts WHERE next_at < :before;
