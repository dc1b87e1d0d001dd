-- Refunds (docs/decisions/0078).

-- The `external_id` of the conversion that this row takes back in part or whole: its `value` is negative, its goal, visit,
-- currency and `reported_by` are those of the other one, and it counts as no conversion. Null in all others.
ALTER TABLE conversions ADD COLUMN refund_of TEXT;

-- The `event_key` of that conversion, in the same visit: a goal beyond the bound of names is stored as `(other)`, so goal
-- and `external_id` alone do not name it. Null in all others.
ALTER TABLE conversions ADD COLUMN refunded_key BIGINT;
