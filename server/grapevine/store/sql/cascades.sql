-- name: chain_to_visit
-- The visits from the root of a cascade to one visit, root first; empty when the visit is not there.
WITH RECURSIVE path (
    visit_id, at, page_id, source, channel, n, via_id, parent_id, depth, flags, verdict, device, step
) AS (
    SELECT visit_id, at, page_id, source, channel, n, via_id, parent_id, depth, flags, verdict, device, 0
    FROM visits WHERE cell = :cell AND site_id = :site_id AND visit_id = :visit_id
    UNION ALL
    SELECT v.visit_id, v.at, v.page_id, v.source, v.channel, v.n, v.via_id, v.parent_id, v.depth, v.flags, v.verdict,
        v.device, path.step + 1
    FROM path /*sqlite CROSS */ JOIN visits v ON v.visit_id = path.parent_id
    WHERE v.cell = :cell AND v.site_id = :site_id
)
SELECT visit_id, at, page_id, source, channel, n, via_id, parent_id, depth, flags, verdict, device
FROM path ORDER BY step DESC;

-- name: cascade_visits_by_id
-- Some visits by their ids: what attribution climbs chains by, a generation at a time, and what exports tell of a visit.
SELECT v.visit_id, v.at, v.page_id, v.source, v.channel, v.n, v.via_id, v.parent_id, v.depth, v.flags, v.verdict, v.device
FROM rows(visit_id bigint, cell smallint)
/*sqlite CROSS */ JOIN visits v ON v.site_id = :site_id AND v.visit_id = rows.visit_id AND v.cell = rows.cell;

-- name: cascades_by_size
-- The next cascades from the largest to the smallest.
SELECT size, root_id FROM cascades WHERE site_id = :site_id AND (size, root_id) < (CAST(:value AS BIGINT), :root_id)
ORDER BY size DESC, root_id DESC LIMIT :limit;

-- name: cascades_by_depth
-- The next cascades from the deepest to the shallowest.
SELECT max_depth, root_id FROM cascades WHERE site_id = :site_id AND (max_depth, root_id) < (CAST(:value AS BIGINT), :root_id)
ORDER BY max_depth DESC, root_id DESC LIMIT :limit;

-- name: cascades_by_recent
-- The next cascades from the one that grew last.
SELECT last_at, root_id FROM cascades WHERE site_id = :site_id AND (last_at, root_id) < (CAST(:value AS BIGINT), :root_id)
ORDER BY last_at DESC, root_id DESC LIMIT :limit;

-- name: cascades_by_virality
-- The next cascades from the most viral one, by what their shape was when last computed.
SELECT COALESCE(virality, 0.0), root_id FROM cascades
WHERE site_id = :site_id AND (COALESCE(virality, 0.0), root_id) < (CAST(:value AS DOUBLE PRECISION), :root_id)
ORDER BY COALESCE(virality, 0.0) DESC, root_id DESC LIMIT :limit;

-- name: cascades_by_value
-- The next cascades from the one whose conversions were worth most, currencies added up as they are: whole units, and the
-- millionths above them. SQLite's sums end at 64 bits, so there the two are added up apart and carried over, which keeps
-- the order exact. PostgreSQL, whose sums have no end, goes from the cascades that have any to their conversions; of
-- those that have none it needs no more than it returns.
/*sqlite WITH parts (root_id, cell, units, millionths) AS (
    SELECT CAST(COALESCE(v.root_id, v.visit_id) AS BIGINT), v.cell, sum(c.value / 1000000), sum(c.value % 1000000)
    FROM conversions c JOIN visits v ON v.site_id = c.site_id AND v.visit_id = c.visit_id AND v.cell = c.cell
    WHERE c.site_id = :site_id AND c.value IS NOT NULL AND v.verdict IS NULL
    GROUP BY COALESCE(v.root_id, v.visit_id), v.cell
), rests (root_id, cell, units, millionths, rest) AS (
    SELECT root_id, cell, units, millionths, (millionths % 1000000 + 1000000) % 1000000 FROM parts
), worth (root_id, cell, units, rest) AS (
    SELECT root_id, cell, units + (millionths - rest) / 1000000, rest FROM rests
)
SELECT COALESCE(worth.units, 0), COALESCE(worth.rest, 0), k.root_id
FROM cascades k LEFT JOIN worth ON worth.root_id = k.root_id AND worth.cell = k.cell
WHERE k.site_id = :site_id AND (COALESCE(worth.units, 0), COALESCE(worth.rest, 0), k.root_id) < (:units, :rest, :root_id)
ORDER BY COALESCE(worth.units, 0) DESC, COALESCE(worth.rest, 0) DESC, k.root_id DESC LIMIT :limit */
/*postgres SELECT CAST((found.total - found.total % 1000000) / 1000000 AS BIGINT), CAST(found.total % 1000000 AS BIGINT),
    found.root_id
FROM (
    SELECT k.root_id, COALESCE((
        SELECT sum(c.value)
        FROM visits v JOIN conversions c ON c.site_id = v.site_id AND c.visit_id = v.visit_id AND c.cell = v.cell
        WHERE v.site_id = k.site_id AND v.visit_id = k.root_id AND v.cell = k.cell AND v.verdict IS NULL
    ), 0) + COALESCE((
        SELECT sum(c.value)
        FROM visits v JOIN conversions c ON c.site_id = v.site_id AND c.visit_id = v.visit_id AND c.cell = v.cell
        WHERE v.site_id = k.site_id AND v.root_id = k.root_id AND v.cell = k.cell AND v.verdict IS NULL
    ), 0) AS total
    FROM cascades k WHERE k.site_id = :site_id AND k.conversions > 0
    UNION ALL
    SELECT z.root_id, 0 FROM (
        SELECT k.root_id FROM cascades k
        WHERE k.site_id = :site_id AND k.conversions = 0
          AND (0, 0, k.root_id) < (CAST(:units AS BIGINT), CAST(:rest AS BIGINT), :root_id)
        ORDER BY k.root_id DESC LIMIT :limit
    ) AS z
) AS found
WHERE (found.total, found.root_id) < (CAST(:units AS BIGINT) * 1000000.0 + CAST(:rest AS BIGINT), :root_id)
ORDER BY found.total DESC, found.root_id DESC LIMIT :limit */;

-- name: cascade_heads
-- The summaries of some cascades.
SELECT k.root_id, k.cell, k.page_id, k.started_at, k.last_at, k.size, k.max_depth, k.shares, k.conversions,
    k.breadth, k.virality, k.shape_size, k.shape_at
FROM rows(root_id bigint, cell smallint)
/*sqlite CROSS */ JOIN cascades k ON k.site_id = :site_id AND k.root_id = rows.root_id AND k.cell = rows.cell;

-- name: lonely_cascade
-- A visit as if it had a summary: what is known of a cascade before its first return, self-returns' doings included.
SELECT v.visit_id, v.cell, v.page_id, v.at, v.at, CASE WHEN v.source = 10 OR v.verdict IS NOT NULL THEN 0 ELSE 1 END,
    v.depth,
    (SELECT count(*) FROM shares s
        WHERE s.cell = :cell AND s.site_id = :site_id AND s.visit_id = :root_id AND s.first_at IS NOT NULL
          AND v.verdict IS NULL)
    + (SELECT count(*)
        FROM visits w /*sqlite INDEXED BY visits_root */ /*sqlite CROSS */ JOIN shares s ON s.visit_id = w.visit_id
        WHERE w.cell = :cell AND w.site_id = :site_id AND w.root_id = :root_id AND w.verdict IS NULL
          AND s.cell = :cell AND s.site_id = :site_id AND s.first_at IS NOT NULL),
    (SELECT count(*) FROM conversions c
        WHERE c.cell = :cell AND c.site_id = :site_id AND c.visit_id = :root_id AND v.verdict IS NULL)
    + (SELECT count(*)
        FROM visits w /*sqlite INDEXED BY visits_root */ /*sqlite CROSS */ JOIN conversions c ON c.visit_id = w.visit_id
        WHERE w.cell = :cell AND w.site_id = :site_id AND w.root_id = :root_id AND w.verdict IS NULL
          AND c.cell = :cell AND c.site_id = :site_id),
    NULL, NULL, 0, 0
FROM visits v WHERE v.cell = :cell AND v.site_id = :site_id AND v.visit_id = :root_id;

-- name: cascade_values
-- What the conversions of some cascades were worth, by currency: whole units and the millionths
-- apart (`money.joined`).
SELECT rows.root_id, c.currency, CAST(sum(c.value / 1000000) AS BIGINT), CAST(sum(c.value % 1000000) AS BIGINT)
FROM rows(root_id bigint, cell smallint)
/*sqlite CROSS */ JOIN visits v /*sqlite INDEXED BY visits_root */ ON v.site_id = :site_id AND v.root_id = rows.root_id AND v.cell = rows.cell
/*sqlite CROSS */ JOIN conversions c ON c.site_id = v.site_id AND c.visit_id = v.visit_id AND c.cell = v.cell
WHERE c.value IS NOT NULL AND v.verdict IS NULL GROUP BY rows.root_id, c.currency;

-- name: root_values
-- What the conversions in the first visits of some cascades were worth, by currency: whole units
-- and the millionths apart (`money.joined`).
SELECT rows.root_id, c.currency, CAST(sum(c.value / 1000000) AS BIGINT), CAST(sum(c.value % 1000000) AS BIGINT)
FROM rows(root_id bigint, cell smallint)
/*sqlite CROSS */ JOIN visits v ON v.site_id = :site_id AND v.visit_id = rows.root_id AND v.cell = rows.cell
/*sqlite CROSS */ JOIN conversions c ON c.site_id = v.site_id AND c.visit_id = v.visit_id AND c.cell = v.cell
WHERE c.value IS NOT NULL AND v.verdict IS NULL GROUP BY rows.root_id, c.currency;

-- name: stale_shapes
-- Cascades that grew since their shape was computed (very large ones: a while ago), those not looked at longest first.
SELECT root_id, cell, size FROM cascades
WHERE site_id = :site_id AND shape_size <> size AND (size <= :small OR shape_at < :before)
ORDER BY shape_at, root_id LIMIT :limit;

-- name: shape_visits
-- All visits below the roots of some cascades, self-returns left out: what their shapes are computed from.
SELECT v.root_id, v.visit_id, v.parent_id, v.depth
FROM rows(root_id bigint, cell smallint)
/*sqlite CROSS */ JOIN visits v /*sqlite INDEXED BY visits_root */ ON v.site_id = :site_id AND v.root_id = rows.root_id AND v.cell = rows.cell
WHERE (v.flags & 1) = 0;

-- name: cascade_visits
-- All visits of one cascade in the order of their depth and time, self-returns left out.
SELECT visit_id, at, page_id, source, channel, n, via_id, parent_id, depth, flags, verdict, device FROM visits
WHERE cell = :cell AND site_id = :site_id AND visit_id = :root_id
UNION ALL
SELECT visit_id, at, page_id, source, channel, n, via_id, parent_id, depth, flags, verdict, device
FROM visits /*sqlite INDEXED BY visits_root */
WHERE cell = :cell AND site_id = :site_id AND root_id = :root_id AND (flags & 1) = 0
ORDER BY depth, at, visit_id;

-- name: cascade_conversions
-- The conversions of one cascade by visit and currency, with what they were worth: whole units and the millionths
-- apart (`money.joined`).
SELECT c.visit_id, c.currency, count(*),
    CAST(sum(c.value / 1000000) AS BIGINT), CAST(sum(c.value % 1000000) AS BIGINT)
FROM visits v /*sqlite CROSS */ JOIN conversions c ON c.visit_id = v.visit_id
WHERE v.cell = :cell AND v.site_id = :site_id AND v.visit_id = :root_id AND v.verdict IS NULL
  AND c.cell = :cell AND c.site_id = :site_id
GROUP BY c.visit_id, c.currency
UNION ALL
SELECT c.visit_id, c.currency, count(*),
    CAST(sum(c.value / 1000000) AS BIGINT), CAST(sum(c.value % 1000000) AS BIGINT)
FROM visits v /*sqlite INDEXED BY visits_root */ /*sqlite CROSS */ JOIN conversions c ON c.visit_id = v.visit_id
WHERE v.cell = :cell AND v.site_id = :site_id AND v.root_id = :root_id AND v.verdict IS NULL
  AND c.cell = :cell AND c.site_id = :site_id
GROUP BY c.visit_id, c.currency;

-- name: keep_shapes
-- Stores the shapes of cascades, unless one computed later is there.
UPDATE cascades SET
    breadth = rows.breadth, virality = rows.virality, shape_size = rows.shape_size, shape_at = rows.shape_at
FROM rows(site_id bigint, root_id bigint, cell smallint, breadth bigint, virality double precision, shape_size bigint, shape_at bigint)
WHERE cascades.site_id = rows.site_id AND cascades.root_id = rows.root_id AND cascades.cell = rows.cell
  AND cascades.shape_at <= rows.shape_at;

-- name: cascade_unfurls
-- How many preview robots fetched the links of one cascade's shares, by share and app; those of suspects left out.
SELECT u.visit_id, u.channel, u.n, u.app, count(*)
FROM visits v /*sqlite CROSS */ JOIN unfurls u ON u.visit_id = v.visit_id
WHERE v.cell = :cell AND v.site_id = :site_id AND v.visit_id = :root_id AND v.verdict IS NULL
  AND u.cell = :cell AND u.site_id = :site_id
GROUP BY u.visit_id, u.channel, u.n, u.app
UNION ALL
SELECT u.visit_id, u.channel, u.n, u.app, count(*)
FROM visits v /*sqlite INDEXED BY visits_root */ /*sqlite CROSS */ JOIN unfurls u ON u.visit_id = v.visit_id
WHERE v.cell = :cell AND v.site_id = :site_id AND v.root_id = :root_id AND v.verdict IS NULL
  AND u.cell = :cell AND u.site_id = :site_id
GROUP BY u.visit_id, u.channel, u.n, u.app;
