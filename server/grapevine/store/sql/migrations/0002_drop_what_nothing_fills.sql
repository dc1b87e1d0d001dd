-- Tables and a column that no code fills: minted links, mentions, the class of an answer. What builds them adds them again.
DROP TABLE links;
DROP TABLE mentions;
ALTER TABLE answers DROP COLUMN class;
