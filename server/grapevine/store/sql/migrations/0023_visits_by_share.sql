-- The visits through one share in the order of time, so that a line of an access log finds those nearest to it however many
-- opened the link (docs/decisions/0075). The first column is as before. An erased visit has neither channel nor `n`.
DROP INDEX visits_parent;
CREATE INDEX visits_parent ON visits (parent_id, channel, n, (COALESCE(via_id, parent_id)), at) WHERE parent_id IS NOT NULL;
