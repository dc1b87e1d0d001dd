-- The network that a visit came from: 48 bits that are the same for one network during one day, the upper 24 of them for
-- its wide network (an IPv6 /48), hashed under the salt of `visitor` and meaningless once that is destroyed. Null in rows
-- that were stored before.
ALTER TABLE visits ADD COLUMN network BIGINT;
