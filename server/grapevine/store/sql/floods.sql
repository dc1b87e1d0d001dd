-- fragment: openings_of_day
-- The returns to a visit on a day that had a grace period to show activity, those taken out of the counts included.
v.cell = :cell AND v.site_id = :site_id AND v.parent_id = :parent_id AND v.at >= :start AND v.at < :end
  AND v.network IS NOT NULL AND (v.verdict IS NULL AND (v.flags & 1) = 0 OR v.verdict = 3) AND (v.flags & 4) = 0

-- fragment: shows_activity
-- Whether a visit led to more than one page view: shares, goals, answers, or further visits.
(v.next_view <> 2
  OR EXISTS (SELECT 1 FROM shares s WHERE s.cell = :cell AND s.site_id = :site_id AND s.visit_id = v.visit_id)
  OR EXISTS (SELECT 1 FROM conversions c WHERE c.cell = :cell AND c.site_id = :site_id AND c.visit_id = v.visit_id)
  OR EXISTS (SELECT 1 FROM answers a WHERE a.cell = :cell AND a.site_id = :site_id AND a.visit_id = v.visit_id)
  OR EXISTS (SELECT 1 FROM visits w /*sqlite INDEXED BY visits_parent */
    WHERE w.cell = :cell AND w.site_id = :site_id AND w.parent_id = v.visit_id))

-- name: insert_suspected_floods
-- Inserts visits whose returns are to be judged, each with the time from which on; an earlier note stays as it is, else
-- a flood that goes on would put its verdict off for ever.
INSERT INTO suspected_floods (site_id, parent_id, cell, day, due_at)
SELECT * FROM rows(site_id bigint, parent_id bigint, cell smallint, day bigint, due_at bigint)
WHERE true
ON CONFLICT (site_id, parent_id, cell, day) DO NOTHING;

-- name: suspected_floods_due
-- Returns visits whose returns are due for a verdict, those that have waited longest first.
SELECT site_id, parent_id, day FROM suspected_floods WHERE due_at <= :now ORDER BY due_at LIMIT :limit;

-- name: delete_suspected_flood
-- Deletes a visit from those whose returns are to be judged.
DELETE FROM suspected_floods
WHERE cell = :cell AND site_id = :site_id AND parent_id = :parent_id AND day = :day AND due_at <= :due_at;

-- name: last_opening
-- Returns the time of the last return to a visit on a day.
SELECT max(v.at) FROM visits v /*sqlite INDEXED BY visits_parent */ WHERE {{openings_of_day}};

-- name: busy_networks
-- Returns the networks (shifted by so many bits) from which a visit's shares were opened more than `least` times on a
-- day, and how many of these openings have one page view and no verdict, one page view, and more.
SELECT v.network >> :shift, sum(CASE WHEN v.verdict IS NULL AND v.next_view = 2 THEN 1 ELSE 0 END),
    sum(CASE WHEN v.next_view = 2 THEN 1 ELSE 0 END), sum(CASE WHEN v.next_view <> 2 THEN 1 ELSE 0 END)
FROM visits v /*sqlite INDEXED BY visits_parent */ WHERE {{openings_of_day}}
GROUP BY 1 HAVING count(*) > :least ORDER BY 1;

-- name: hidden_activity
-- Returns how many of the openings from a range of networks have one page view and show other activity.
SELECT count(*) FROM visits v /*sqlite INDEXED BY visits_parent */
WHERE {{openings_of_day}} AND v.network >= :first_network AND v.network <= :last_network AND v.next_view = 2
  AND {{shows_activity}};

-- name: silent_openings
-- Returns openings from a range of networks without activity and verdict, the last ones first.
SELECT {{visit_columns}}
FROM visits v /*sqlite INDEXED BY visits_parent */
WHERE {{openings_of_day}} AND v.network >= :first_network AND v.network <= :last_network AND v.verdict IS NULL
  AND NOT {{shows_activity}}
ORDER BY v.at DESC, v.visit_id DESC LIMIT :limit;

-- name: counted_visits_of_visitors
-- Returns how many visits of some visitors on a day count, by visitor. An id's day is the browser's and may differ from
-- the server's by one.
SELECT v.visitor, count(*) FROM visits v
WHERE v.site_id = :site_id AND v.visit_id >= :from_id AND v.visit_id < :to_id AND v.at >= :start AND v.at < :end
  AND v.verdict IS NULL AND v.visitor IN (SELECT rows.visitor FROM rows(visitor bigint))
GROUP BY v.visitor;
