-- Drops tables and a column that no code uses: minted links, mentions, the class of an answer. Their features will add them again.
DROP TABLE links;
DROP TABLE mentions;
ALTER TABLE answers DROP COLUMN class;
