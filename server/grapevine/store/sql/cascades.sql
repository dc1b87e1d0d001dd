-- fragment: cascade_visit_columns
-- The columns of a visit in a cascade, in the order of `rows.CascadeVisit`.
v.visit_id, v.at, v.page_id, v.source, v.channel, v.n, v.via_id, v.parent_id, v.depth, v.flags, v.verdict, v.device

-- name: chain_to_visit
-- Returns the last visits of the chain to one visit, the first of them first: at most `most`, so that the cost of a
-- chain has a bound; empty when the visit is missing.
WITH RECURSIVE path AS (
    SELECT {{cascade_visit_columns}}, 1 AS step
    FROM visits v WHERE v.cell = :cell AND v.site_id = :site_id AND v.visit_id = :visit_id
    UNION ALL
    SELECT {{cascade_visit_columns}}, path.step + 1
    FROM path /*sqlite CROSS */ JOIN visits v ON v.visit_id = path.parent_id
    WHERE v.cell = :cell AND v.site_id = :site_id AND path.step < CAST(:most AS INTEGER)
)
SELECT {{cascade_visit_columns}} FROM path v ORDER BY v.step DESC;

-- name: root_of_visit
-- Returns the first visit of a visit's cascade, where it is stored.
SELECT {{cascade_visit_columns}}
FROM visits below /*sqlite CROSS */ JOIN visits v ON v.visit_id = below.root_id
WHERE below.cell = :cell AND below.site_id = :site_id AND below.visit_id = :visit_id
  AND v.cell = :cell AND v.site_id = :site_id;

-- name: cascade_visits_by_id
-- Returns some visits by their ids. Attribution climbs chains with it, a generation at a time; exports read a visit's
-- columns.
SELECT {{cascade_visit_columns}}
FROM rows(visit_id bigint, cell smallint)
/*sqlite CROSS */ JOIN visits v ON v.site_id = :site_id AND v.visit_id = rows.visit_id AND v.cell = rows.cell;

-- name: earliest_visits
-- Returns visits of a site's first days, those that count nowhere among them but no minted links, of which there may be
-- any number before the first visit: never more than 200 rows.
SELECT {{cascade_visit_columns}}
FROM visits v WHERE v.site_id = :site_id AND v.source <> 10
ORDER BY v.visit_id, v.cell LIMIT 200;

-- name: cascades_by_size
-- Returns the next cascades from the largest to the smallest.
SELECT size, root_id FROM cascades WHERE site_id = :site_id AND (size, root_id) < (CAST(:value AS BIGINT), :root_id)
ORDER BY size DESC, root_id DESC LIMIT :limit;

-- name: cascades_by_depth
-- Returns the next cascades from the deepest to the shallowest.
SELECT max_depth, root_id FROM cascades WHERE site_id = :site_id AND (max_depth, root_id) < (CAST(:value AS BIGINT), :root_id)
ORDER BY max_depth DESC, root_id DESC LIMIT :limit;

-- name: cascades_by_recent
-- Returns the next cascades by their last visit, newest first.
SELECT last_at, root_id FROM cascades WHERE site_id = :site_id AND (last_at, root_id) < (CAST(:value AS BIGINT), :root_id)
ORDER BY last_at DESC, root_id DESC LIMIT :limit;

-- name: cascades_by_virality
-- Returns the next cascades from the most viral one, by the last computed shape.
SELECT COALESCE(virality, 0.0), root_id FROM cascades
WHERE site_id = :site_id AND (COALESCE(virality, 0.0), root_id) < (CAST(:value AS DOUBLE PRECISION), :root_id)
ORDER BY COALESCE(virality, 0.0) DESC, root_id DESC LIMIT :limit;

-- name: cascades_by_value
-- Returns the next cascades by the value of their conversions, highest first; currencies are added up without
-- conversion: whole units, and the millionths above them. SQLite's sums are limited to 64 bits, so there the two are
-- added up separately and carried over, which keeps the order exact. PostgreSQL, whose sums have no limit, starts from
-- the cascades with conversions; of those without it reads no more than it returns.
/*sqlite WITH parts (root_id, cell, units, millionths) AS (
    SELECT CAST(COALESCE(v.root_id, v.visit_id) AS BIGINT), v.cell, sum(c.value / 1000000), sum(c.value % 1000000)
    FROM conversions c JOIN visits v ON v.site_id = c.site_id AND v.visit_id = c.visit_id AND v.cell = c.cell
    WHERE c.site_id = :site_id AND c.value IS NOT NULL AND c.reported_by >= :least_reporter AND v.verdict IS NULL
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
          AND c.reported_by >= :least_reporter
    ), 0) + COALESCE((
        SELECT sum(c.value)
        FROM visits v JOIN conversions c ON c.site_id = v.site_id AND c.visit_id = v.visit_id AND c.cell = v.cell
        WHERE v.site_id = k.site_id AND v.root_id = k.root_id AND v.cell = k.cell AND v.verdict IS NULL
          AND c.reported_by >= :least_reporter
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
-- Returns the summaries of some cascades, and whether each grew from a minted link.
SELECT k.root_id, k.cell, k.page_id, k.started_at, k.last_at, k.size, k.max_depth, k.shares, k.conversions,
    k.breadth, k.virality, k.shape_size, k.shape_at, k.networks,
    EXISTS (SELECT 1 FROM links l WHERE l.site_id = k.site_id AND l.visit_id = k.root_id AND l.cell = k.cell)
FROM rows(root_id bigint, cell smallint)
/*sqlite CROSS */ JOIN cascades k ON k.site_id = :site_id AND k.root_id = rows.root_id AND k.cell = rows.cell;

-- name: lonely_cascade
-- Returns a visit in the form of a summary: the numbers of a cascade before its first return, those of self-returns
-- included.
SELECT v.visit_id, v.cell, v.page_id, v.at, v.at, CASE WHEN v.source = 10 OR v.verdict IS NOT NULL OR (v.flags & 4) <> 0 THEN 0 ELSE 1 END,
    v.depth,
    (SELECT count(*) FROM shares s
        WHERE s.cell = :cell AND s.site_id = :site_id AND s.visit_id = :root_id AND s.first_at IS NOT NULL
          AND v.source <> 10 AND v.verdict IS NULL)
    + (SELECT count(*)
        FROM visits w /*sqlite INDEXED BY visits_root */ /*sqlite CROSS */ JOIN shares s ON s.visit_id = w.visit_id
        WHERE w.cell = :cell AND w.site_id = :site_id AND w.root_id = :root_id AND w.verdict IS NULL
          AND s.cell = :cell AND s.site_id = :site_id AND s.first_at IS NOT NULL),
    (SELECT count(*) FROM conversions c
        WHERE c.cell = :cell AND c.site_id = :site_id AND c.visit_id = :root_id AND v.verdict IS NULL
          AND c.refunded_key IS NULL)
    + (SELECT count(*)
        FROM visits w /*sqlite INDEXED BY visits_root */ /*sqlite CROSS */ JOIN conversions c ON c.visit_id = w.visit_id
        WHERE w.cell = :cell AND w.site_id = :site_id AND w.root_id = :root_id AND w.verdict IS NULL
          AND c.cell = :cell AND c.site_id = :site_id AND c.refunded_key IS NULL),
    NULL, NULL, 0, 0, 0
FROM visits v WHERE v.cell = :cell AND v.site_id = :site_id AND v.visit_id = :root_id;

-- name: cascade_values
-- Returns the value of the conversions of some cascades, by currency: whole units and millionths (`money.joined`).
SELECT rows.root_id, c.currency, {{total_value}}
FROM rows(root_id bigint, cell smallint)
/*sqlite CROSS */ JOIN visits v /*sqlite INDEXED BY visits_root */ ON v.site_id = :site_id AND v.root_id = rows.root_id AND v.cell = rows.cell
/*sqlite CROSS */ JOIN conversions c ON c.site_id = v.site_id AND c.visit_id = v.visit_id AND c.cell = v.cell
WHERE c.value IS NOT NULL AND c.reported_by >= :least_reporter AND v.verdict IS NULL
GROUP BY rows.root_id, c.currency;

-- name: root_values
-- Returns the value of the conversions in the first visits of some cascades, by currency: whole units and millionths
-- (`money.joined`).
SELECT rows.root_id, c.currency, {{total_value}}
FROM rows(root_id bigint, cell smallint)
/*sqlite CROSS */ JOIN visits v ON v.site_id = :site_id AND v.visit_id = rows.root_id AND v.cell = rows.cell
/*sqlite CROSS */ JOIN conversions c ON c.site_id = v.site_id AND c.visit_id = v.visit_id AND c.cell = v.cell
WHERE c.value IS NOT NULL AND c.reported_by >= :least_reporter AND v.verdict IS NULL
GROUP BY rows.root_id, c.currency;

-- name: stale_shapes
-- Returns cascades that grew since their shape was computed (very large ones: a while ago), the longest unchecked
-- first.
SELECT root_id, cell, size FROM cascades
WHERE site_id = :site_id AND shape_size <> size AND (size <= :small OR shape_at < :before)
ORDER BY shape_at, root_id LIMIT :limit;

-- name: shape_visits
-- Returns all visits below the roots of some cascades, self-returns left out, whether they were erased, and their
-- networks: the input of their shapes.
SELECT v.root_id, v.visit_id, v.parent_id, v.depth, v.flags & 4, v.network
FROM rows(root_id bigint, cell smallint)
/*sqlite CROSS */ JOIN visits v /*sqlite INDEXED BY visits_root */ ON v.site_id = :site_id AND v.root_id = rows.root_id AND v.cell = rows.cell
WHERE (v.flags & 1) = 0;

-- name: erased_roots
-- Returns those of some first visits that were erased.
SELECT v.visit_id FROM rows(root_id bigint, cell smallint)
/*sqlite CROSS */ JOIN visits v ON v.site_id = :site_id AND v.visit_id = rows.root_id AND v.cell = rows.cell
WHERE (v.flags & 4) <> 0;

-- name: networks_of_cascades
-- Returns from how many networks the returns to some cascades came. A network has another hash each day, and is counted
-- once a day.
SELECT found.root_id, count(found.network)
FROM (
    SELECT v.root_id, v.cell, v.network
    FROM rows(root_id bigint, cell smallint)
    /*sqlite CROSS */ JOIN visits v /*sqlite INDEXED BY visits_root */
      ON v.site_id = :site_id AND v.root_id = rows.root_id AND v.cell = rows.cell
    WHERE (v.flags & 1) = 0
    GROUP BY v.root_id, v.cell, v.network
) AS found
GROUP BY found.root_id, found.cell;

-- name: cascade_visits
-- Returns all visits of one cascade by depth and time, self-returns left out.
SELECT {{cascade_visit_columns}} FROM visits v
WHERE v.cell = :cell AND v.site_id = :site_id AND v.visit_id = :root_id
UNION ALL
SELECT {{cascade_visit_columns}} FROM visits v /*sqlite INDEXED BY visits_root */
WHERE v.cell = :cell AND v.site_id = :site_id AND v.root_id = :root_id AND (v.flags & 1) = 0
ORDER BY depth, at, visit_id;

-- name: cascade_conversions
-- Returns the conversions of one cascade by visit, reporter and currency, with their value: whole units and millionths
-- (`money.joined`).
SELECT c.visit_id, c.reported_by, c.currency, count(*) - count(c.refunded_key), {{total_value}}
FROM visits v /*sqlite CROSS */ JOIN conversions c ON c.visit_id = v.visit_id
WHERE v.cell = :cell AND v.site_id = :site_id AND v.visit_id = :root_id AND v.verdict IS NULL
  AND c.cell = :cell AND c.site_id = :site_id
GROUP BY c.visit_id, c.reported_by, c.currency
UNION ALL
SELECT c.visit_id, c.reported_by, c.currency, count(*) - count(c.refunded_key), {{total_value}}
FROM visits v /*sqlite INDEXED BY visits_root */ /*sqlite CROSS */ JOIN conversions c ON c.visit_id = v.visit_id
WHERE v.cell = :cell AND v.site_id = :site_id AND v.root_id = :root_id AND v.verdict IS NULL
  AND c.cell = :cell AND c.site_id = :site_id
GROUP BY c.visit_id, c.reported_by, c.currency;

-- name: keep_shapes
-- Stores the shapes of cascades, unless a later one is stored.
UPDATE cascades SET
    breadth = rows.breadth, virality = rows.virality, networks = rows.networks,
    shape_size = rows.shape_size, shape_at = rows.shape_at
FROM rows(site_id bigint, root_id bigint, cell smallint, breadth bigint, virality double precision, networks bigint, shape_size bigint, shape_at bigint)
WHERE cascades.site_id = rows.site_id AND cascades.root_id = rows.root_id AND cascades.cell = rows.cell
  AND cascades.shape_at <= rows.shape_at;

-- name: cascade_unfurls
-- Returns how many preview robots fetched the links of one cascade's shares, by share and app; those of suspects left
-- out.
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
