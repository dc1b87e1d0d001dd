-- What an answer means (docs/decisions/0079). All columns are null in rows from before them, until a job has classified those.

-- The class that the rules gave the text, and the channel that it names, if any.
ALTER TABLE answers ADD COLUMN class TEXT;
ALTER TABLE answers ADD COLUMN channel SMALLINT;
-- The version of the rules that gave the class; a job classifies anew what an older version classified.
ALTER TABLE answers ADD COLUMN rules SMALLINT;
-- The class that a person gave it instead; it wins and stays.
ALTER TABLE answers ADD COLUMN corrected TEXT;
-- Who reported it: 0 a page, 1 a server with an API key (as in conversions).
ALTER TABLE answers ADD COLUMN reported_by SMALLINT NOT NULL DEFAULT 0;
