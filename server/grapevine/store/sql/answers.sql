-- name: classify_answers
-- Stores the classes that the rules give some answers, unless rules as new as these have classified them.
UPDATE answers SET class = rows.class, channel = rows.channel, rules = rows.rules
FROM rows(site_id bigint, visit_id bigint, cell smallint, event_key bigint, class text, channel smallint, rules smallint)
WHERE answers.site_id = rows.site_id AND answers.visit_id = rows.visit_id AND answers.cell = rows.cell
  AND answers.event_key = rows.event_key AND (answers.rules IS NULL OR answers.rules < rows.rules);

-- name: correct_answer
-- Stores the class that a person gives an answer, or takes it back; returns the answer.
UPDATE answers SET corrected = :corrected
WHERE site_id = :site_id AND visit_id = :visit_id AND cell = :cell AND event_key = :event_key
RETURNING site_id, visit_id, cell, event_key, at, text, contact, class, channel, rules, corrected, reported_by;

-- name: answers_of_site
-- Returns the answers of a period with where their visits came from, the newest first, from behind a position in this order; of a
-- class, if given.
SELECT a.site_id, a.visit_id, a.cell, a.event_key, a.at, a.text, a.contact, a.class, a.channel, a.rules, a.corrected,
    a.reported_by, v.source, v.channel, v.verdict
FROM answers a
LEFT JOIN visits v ON v.site_id = a.site_id AND v.visit_id = a.visit_id AND v.cell = a.cell
WHERE a.site_id = :site_id AND a.at >= :start AND a.at < :end
  AND (CAST(:class AS TEXT) IS NULL OR COALESCE(a.corrected, a.class) = :class)
  AND (a.at < :before OR (a.at = :before AND (a.visit_id, a.event_key) > (:after_visit, :after_key)))
ORDER BY a.at DESC, a.visit_id, a.event_key LIMIT :limit;

-- name: answers_by_measured
-- Counts the answers of a period by what they mean and where their visits came from. Source and channel are null where an answer
-- names no visit, or one that is gone.
SELECT COALESCE(a.corrected, a.class), a.channel, v.source, v.channel,
    CASE WHEN v.verdict IS NULL THEN 0 ELSE 1 END, count(*)
FROM answers a
LEFT JOIN visits v ON v.site_id = a.site_id AND v.visit_id = a.visit_id AND v.cell = a.cell
WHERE a.site_id = :site_id AND a.at >= :start AND a.at < :end
GROUP BY COALESCE(a.corrected, a.class), a.channel, v.source, v.channel, CASE WHEN v.verdict IS NULL THEN 0 ELSE 1 END;
