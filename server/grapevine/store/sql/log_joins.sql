-- fragment: child_without_line
-- A visit through a share of its parent, which the script of a page reported and no line of a log was joined with.
v.cell = :cell AND v.site_id = :site_id AND v.parent_id = :parent_id AND (v.flags & 8) = 0
  AND NOT EXISTS (SELECT 1 FROM log_joins j WHERE j.cell = :cell AND j.site_id = :site_id AND j.visit_id = v.visit_id)

-- name: joined_lines
-- Returns those of some lines of access logs that were joined with a visit.
SELECT j.site_id, j.line_key
FROM rows(site_id bigint, line_key bigint, cell smallint)
/*sqlite CROSS */ JOIN log_joins j /*sqlite INDEXED BY log_joins_line */
  ON j.line_key = rows.line_key AND j.site_id = rows.site_id AND j.cell = rows.cell;

-- name: visits_to_join
-- Returns the visits through a share that a line of some time may stand for, those nearest in time: some before, some
-- after, and some that were erased, of which nothing is known but the day. `parent_id` is what they hang on.
SELECT before.visit_id, before.cell, before.at, before.page_id, before.device, before.flags FROM (
    SELECT v.visit_id, v.cell, v.at, v.page_id, v.device, v.flags FROM visits v /*sqlite INDEXED BY visits_parent */
    WHERE {{child_without_line}} AND v.channel = :channel AND v.n = :n AND COALESCE(v.via_id, v.parent_id) = :sharer_id
      AND v.at <= :at AND v.at >= :from_at
    ORDER BY v.at DESC, v.visit_id DESC LIMIT :limit
) AS before
UNION ALL
SELECT after.visit_id, after.cell, after.at, after.page_id, after.device, after.flags FROM (
    SELECT v.visit_id, v.cell, v.at, v.page_id, v.device, v.flags FROM visits v /*sqlite INDEXED BY visits_parent */
    WHERE {{child_without_line}} AND v.channel = :channel AND v.n = :n AND COALESCE(v.via_id, v.parent_id) = :sharer_id
      AND v.at > :at AND v.at <= :to_at
    ORDER BY v.at, v.visit_id LIMIT :limit
) AS after
UNION ALL
SELECT erased.visit_id, erased.cell, erased.at, erased.page_id, erased.device, erased.flags FROM (
    SELECT v.visit_id, v.cell, v.at, v.page_id, v.device, v.flags FROM visits v /*sqlite INDEXED BY visits_parent */
    WHERE {{child_without_line}} AND v.channel IS NULL AND v.n IS NULL
      AND COALESCE(v.via_id, v.parent_id) = :parent_id AND v.at >= :first_day AND v.at <= :last_day AND (v.flags & 4) <> 0
    ORDER BY v.at, v.visit_id LIMIT :limit
) AS erased;

-- name: insert_log_joins
-- Joins visits with lines of access logs.
INSERT INTO log_joins (site_id, visit_id, cell, line_key)
SELECT * FROM rows(site_id bigint, visit_id bigint, cell smallint, line_key bigint)
WHERE true
ON CONFLICT (site_id, visit_id, cell) DO NOTHING;
