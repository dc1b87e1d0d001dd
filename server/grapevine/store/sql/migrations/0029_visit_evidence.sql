-- What decided a visit's source, and evidence of how its address came to the visitor (docs/decisions/0086).

-- The low four bits: 0 nothing, 1 a share token, 2 a tag, 3 the referrer, 4 a click id, 5 an app. Further bits: 16 the address had
-- a click id, 32 another visitor had come with the same one before, 64 the address named a passage to be highlighted. Null in
-- rows from before this column, in erased visits and in nodes of minted links.
ALTER TABLE visits ADD COLUMN evidence SMALLINT;
CREATE INDEX visits_evidence ON visits (site_id, at) WHERE evidence > 15;

-- In guards of click ids: a keyed hash of the click id and the visitor who came with it first, so that the same visitor is
-- known again. Null in other guards. The rows are deleted with the salt of their day, after 48 hours.
ALTER TABLE guards ADD COLUMN holder BIGINT;
