-- How a token is written in fragments: `identifier` (gv-TOKEN), `parameter` (gv=TOKEN), which alone builds of the widget from
-- before this column read, or `auto`: the former once no older build was seen for 14 days. Sites from before this column begin
-- with `auto`, new ones with `identifier`.
ALTER TABLE sites ADD COLUMN fragment TEXT NOT NULL DEFAULT 'auto';

-- The day on which a visit last came from such a build; 0 where none ever did; -1 in sites from before this column, which had one,
-- until their next visit.
ALTER TABLE sites ADD COLUMN old_build_day BIGINT NOT NULL DEFAULT -1;
