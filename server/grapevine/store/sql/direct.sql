-- name: direct_days
-- Returns the visits of some pages by page and day, through the index on pages: deep direct ones, all others that are
-- not returns, and private returns in four groups by the last two bits of the visit that shared. Shares that the site
-- itself distributes (minted links on any channel: flag 16; codes, print) are not private returns, and returns through a
-- public network count among the others.
SELECT v.page_id, v.at / 86400000 - 18262 AS day,
    sum(CASE WHEN v.source = 9 THEN 1 ELSE 0 END),
    sum(CASE WHEN v.source = 9 OR (v.source = 0 AND v.channel < 32) THEN 0 ELSE 1 END),
    sum(CASE WHEN v.source = 0 AND v.channel < 32 AND v.channel NOT IN (3, 4, 20) AND (v.flags & 16) = 0
        AND (COALESCE(v.via_id, v.parent_id, 0) & 3) = 0 THEN 1 ELSE 0 END),
    sum(CASE WHEN v.source = 0 AND v.channel < 32 AND v.channel NOT IN (3, 4, 20) AND (v.flags & 16) = 0
        AND (COALESCE(v.via_id, v.parent_id, 0) & 3) = 1 THEN 1 ELSE 0 END),
    sum(CASE WHEN v.source = 0 AND v.channel < 32 AND v.channel NOT IN (3, 4, 20) AND (v.flags & 16) = 0
        AND (COALESCE(v.via_id, v.parent_id, 0) & 3) = 2 THEN 1 ELSE 0 END),
    sum(CASE WHEN v.source = 0 AND v.channel < 32 AND v.channel NOT IN (3, 4, 20) AND (v.flags & 16) = 0
        AND (COALESCE(v.via_id, v.parent_id, 0) & 3) = 3 THEN 1 ELSE 0 END)
FROM visits v /*sqlite INDEXED BY visits_page */
WHERE v.site_id = :site_id AND v.page_id IN (SELECT page_id FROM rows(page_id bigint))
  AND (v.at / 86400000) >= :from_unix_day AND (v.at / 86400000) < :to_unix_day
  AND v.source <> 10 AND (v.flags & 5) = 0 AND v.verdict IS NULL
GROUP BY 1, 2;

-- name: direct_unfurled
-- Returns how many private shares of a period's visits had a preview fetched, by page; those of minted links are none, and
-- a share counts once, however many apps fetch it. An id's day may differ from the server's by one.
SELECT v.page_id, count(*)
FROM (
    SELECT u.site_id, u.visit_id, u.cell FROM unfurls u
    WHERE u.site_id = :site_id AND u.visit_id >= :from_id AND u.visit_id < :to_id
      AND u.channel < 32 AND u.channel NOT IN (3, 4, 20)
    GROUP BY u.site_id, u.visit_id, u.cell, u.channel, u.n
) AS u
JOIN visits v ON v.site_id = u.site_id AND v.visit_id = u.visit_id AND v.cell = u.cell
WHERE v.page_id IN (SELECT page_id FROM rows(page_id bigint))
  AND v.at >= :start AND v.at < :end AND v.source <> 10 AND (v.flags & 5) = 0 AND v.verdict IS NULL
GROUP BY v.page_id;

-- name: direct_apps
-- Returns the untagged visits of a period that came from an app, by app, the most frequent first; behind each the visits
-- of all apps, and of those that are only a package. An id's day may differ from the server's by one.
SELECT app, visits, CAST(sum(visits) OVER () AS BIGINT),
    CAST(sum(CASE WHEN app LIKE '%.%' OR app = '(other)' THEN visits ELSE 0 END) OVER () AS BIGINT)
FROM (
    SELECT v.app, count(*) AS visits
    FROM visits v
    WHERE v.site_id = :site_id
      AND v.visit_id >= :from_id AND v.visit_id < :to_id AND v.at >= :start AND v.at < :end
      AND v.app IS NOT NULL AND v.source NOT IN (0, 1, 10) AND (v.flags & 4) = 0 AND v.verdict IS NULL
    GROUP BY v.app
) AS named
ORDER BY visits DESC, app /*postgres COLLATE "C" */ LIMIT :limit;

-- name: direct_evidence
-- Returns how many visits of a period came with each evidence, and of those with a click id, of how many it decided the
-- source, through the index on evidence.
SELECT sum(CASE WHEN v.evidence & 16 <> 0 THEN 1 ELSE 0 END),
    sum(CASE WHEN (v.evidence & 15) = 4 THEN 1 ELSE 0 END),
    sum(CASE WHEN v.evidence & 32 <> 0 THEN 1 ELSE 0 END),
    sum(CASE WHEN v.evidence & 32 <> 0 AND v.source IN (8, 9) THEN 1 ELSE 0 END),
    sum(CASE WHEN v.evidence & 64 <> 0 THEN 1 ELSE 0 END)
FROM visits v /*sqlite INDEXED BY visits_evidence */
WHERE v.site_id = :site_id AND v.at >= :start AND v.at < :end AND v.evidence > 15
  AND (v.flags & 5) = 0 AND v.verdict IS NULL;

-- name: direct_shares
-- Returns the numbers of private shares first seen in a period: all reported, all proven, and those that were both.
-- Those of minted links are none, on any channel: the site itself distributes them.
SELECT sum(CASE WHEN s.reported_at IS NULL THEN 0 ELSE 1 END), sum(CASE WHEN s.proven_at IS NULL THEN 0 ELSE 1 END),
    sum(CASE WHEN s.reported_at IS NULL OR s.proven_at IS NULL THEN 0 ELSE 1 END)
FROM shares s LEFT JOIN links l ON l.site_id = s.site_id AND l.visit_id = s.visit_id AND l.cell = s.cell
WHERE s.site_id = :site_id AND s.visit_id < :to_id AND s.first_at >= :start AND s.first_at < :end
  AND s.channel < 32 AND s.channel NOT IN (3, 4, 20) AND l.visit_id IS NULL;
