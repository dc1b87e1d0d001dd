-- name: insert_suspects
-- Inserts machines to be judged, each with the time from which on.
INSERT INTO suspects (site_id, day, visitor, cell, due_at)
SELECT * FROM rows(site_id bigint, day bigint, visitor bigint, cell smallint, due_at bigint)
WHERE true
ON CONFLICT (site_id, day, visitor, cell) DO NOTHING;

-- name: suspects_due
-- Returns machines that are due for a verdict, those that have waited longest first.
SELECT site_id, day, visitor FROM suspects WHERE due_at <= :now ORDER BY due_at LIMIT :limit;

-- name: delete_suspect
-- Deletes a judged machine from the suspects.
DELETE FROM suspects WHERE cell = :cell AND site_id = :site_id AND day = :day AND visitor = :visitor;

-- name: count_active_visits
-- Returns the number of a machine's visits of a day that show activity (a second page, no share token, a self-return),
-- and the verdict on earlier ones that was found by a burst. An id's day is the browser's and may differ from the
-- server's by one.
SELECT COALESCE(sum(CASE WHEN v.verdict IS NULL AND (v.next_view <> 2 OR v.parent_id IS NULL OR (v.flags & 5) <> 0)
        THEN 1 ELSE 0 END), 0),
    max(CASE WHEN v.verdict <> 1 AND (v.flags & 32) = 0 THEN v.verdict END)
FROM visits v
WHERE v.site_id = :site_id AND v.visit_id >= :from_id AND v.visit_id < :to_id AND v.at >= :start AND v.at < :end
  AND v.visitor = :visitor;

-- name: unjudged_visits
-- Returns a machine's visits of a day without a verdict, the first ones first.
SELECT {{visit_columns}}
FROM visits v
WHERE v.site_id = :site_id AND v.visit_id >= :from_id AND v.visit_id < :to_id AND v.at >= :start AND v.at < :end
  AND v.visitor = :visitor AND v.verdict IS NULL
ORDER BY v.at, v.visit_id LIMIT :limit;

-- name: shares_made
-- Returns when the visits of some shares began, when each share was reported, and by whom.
SELECT s.site_id, s.visit_id, s.cell, s.channel, s.n, v.at, s.reported_at, s.reported_by
FROM rows(site_id bigint, visit_id bigint, cell smallint, channel smallint, n smallint)
/*sqlite CROSS */ JOIN shares s ON s.site_id = rows.site_id AND s.visit_id = rows.visit_id AND s.cell = rows.cell
  AND s.channel = rows.channel AND s.n = rows.n
/*sqlite CROSS */ JOIN visits v ON v.site_id = s.site_id AND v.visit_id = s.visit_id AND v.cell = s.cell;

-- name: visits_with_activity
-- Returns those of some visits that led to more than one page view: shares, goals, answers, or further visits.
-- On PostgreSQL the index of parents is the only one that fits: before the table is analysed, that of the primary key looks as
-- good, and reads all visits of the cell for each.
SELECT s.visit_id FROM rows(site_id bigint, visit_id bigint, cell smallint)
JOIN shares s ON s.site_id = rows.site_id AND s.visit_id = rows.visit_id AND s.cell = rows.cell
UNION ALL
SELECT c.visit_id FROM rows(site_id bigint, visit_id bigint, cell smallint)
JOIN conversions c ON c.site_id = rows.site_id AND c.visit_id = rows.visit_id AND c.cell = rows.cell
UNION ALL
SELECT a.visit_id FROM rows(site_id bigint, visit_id bigint, cell smallint)
JOIN answers a ON a.site_id = rows.site_id AND a.visit_id = rows.visit_id AND a.cell = rows.cell
UNION ALL
SELECT v.parent_id FROM rows(site_id bigint, visit_id bigint, cell smallint)
JOIN visits v /*sqlite INDEXED BY visits_parent */
  ON v.site_id /*postgres + 0 */ = rows.site_id AND v.parent_id = rows.visit_id AND v.cell = rows.cell;

-- name: set_verdicts
-- Stores verdicts and takes the visits out of their cascades; later returns through them get the same parent as they
-- have. `flag` is 32 where a single opening was enough.
UPDATE visits SET verdict = rows.verdict, flags = visits.flags | 1 | rows.flag, depth = visits.depth - 1
FROM rows(site_id bigint, visit_id bigint, cell smallint, verdict smallint, flag smallint)
WHERE visits.site_id = rows.site_id AND visits.visit_id = rows.visit_id AND visits.cell = rows.cell
  AND visits.verdict IS NULL;

-- name: take_back_verdicts
-- Takes back verdicts that rest on a single opening (flag 32), and puts the visits into their cascades again.
UPDATE visits SET verdict = NULL, flags = visits.flags & ~33, depth = visits.depth + 1
FROM rows(site_id bigint, visit_id bigint, cell smallint)
WHERE visits.site_id = rows.site_id AND visits.visit_id = rows.visit_id AND visits.cell = rows.cell
  AND (visits.flags & 32) <> 0;

-- name: forget_guard
-- Deletes a guard, so that its event may happen again; returns it where it existed.
DELETE FROM guards WHERE cell = :cell AND site_id = :site_id AND kind = :kind AND guard_key = :guard_key
RETURNING guard_key;

-- name: returns_of_shares
-- Returns how often some shares were opened by others than their sharers, and when first; leaves out those that were
-- never opened. `hangs_on` as in `reach_of_share`.
SELECT rows.site_id, rows.visit_id, rows.cell, rows.channel, rows.n, count(*), min(v.at)
FROM rows(site_id bigint, visit_id bigint, cell smallint, channel smallint, n smallint, hangs_on bigint)
/*sqlite CROSS */ JOIN visits v /*sqlite INDEXED BY visits_parent */
  ON v.site_id = rows.site_id AND v.parent_id = rows.hangs_on AND v.cell = rows.cell
WHERE v.channel = rows.channel AND v.n = rows.n AND COALESCE(v.via_id, v.parent_id) = rows.visit_id
  AND (v.flags & 1) = 0
GROUP BY rows.site_id, rows.visit_id, rows.cell, rows.channel, rows.n;

-- name: set_shares
-- Stores shares without some of their returns.
UPDATE shares SET
    first_at = rows.first_at, proven_at = rows.proven_at, returns = rows.returns, self_returns = rows.self_returns
FROM rows(site_id bigint, visit_id bigint, cell smallint, channel smallint, n smallint, first_at bigint, proven_at bigint, returns integer, self_returns integer)
WHERE shares.site_id = rows.site_id AND shares.visit_id = rows.visit_id AND shares.cell = rows.cell
  AND shares.channel = rows.channel AND shares.n = rows.n;

-- name: returns_of_cascades
-- Returns the number of returns to some cascades, their depth and the time of the last; leaves out those without a
-- return.
SELECT rows.site_id, rows.root_id, rows.cell, count(*), max(v.depth), max(v.at)
FROM rows(site_id bigint, root_id bigint, cell smallint)
/*sqlite CROSS */ JOIN visits v /*sqlite INDEXED BY visits_root */
  ON v.site_id = rows.site_id AND v.root_id = rows.root_id AND v.cell = rows.cell
WHERE (v.flags & 5) = 0
GROUP BY rows.site_id, rows.root_id, rows.cell;

-- name: shrink_cascades
-- Reduces the summaries of cascades that lost visits and shares; their shape has to be computed again.
UPDATE cascades SET
    size = cascades.size - rows.visits, max_depth = rows.max_depth, last_at = rows.last_at,
    shares = cascades.shares - rows.shares, shape_size = 0
FROM rows(site_id bigint, root_id bigint, cell smallint, visits bigint, shares bigint, max_depth integer, last_at bigint)
WHERE cascades.site_id = rows.site_id AND cascades.root_id = rows.root_id AND cascades.cell = rows.cell;

-- name: delete_cascade
-- Deletes the summary of a cascade that has no return any more.
DELETE FROM cascades WHERE cell = :cell AND site_id = :site_id AND root_id = :root_id;
