-- How a token is written in fragments: `identifier` (gv-TOKEN), `parameter` (gv=TOKEN), which alone builds of the widget from
-- before this column read, or `auto`: the former once no older build was seen for 14 days. Sites from before this column begin
-- with `auto`, new ones with `identifier`.
ALTER TABLE sites ADD COLUMN fragment TEXT NOT NULL DEFAULT 'auto';

-- The day on which a visit last came from such a build; 0 where none ever did. Sites from before this column had one until now.
ALTER TABLE sites ADD COLUMN old_build_day BIGINT NOT NULL DEFAULT 0;
UPDATE sites SET old_build_day = /*sqlite CAST(julianday('now') - julianday('2020-01-01') AS INTEGER) */
    /*postgres (now() AT TIME ZONE 'UTC')::date - DATE '2020-01-01' */;
