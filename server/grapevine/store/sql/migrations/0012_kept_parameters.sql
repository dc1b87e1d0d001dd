-- The query parameters, separated by spaces, that the site keeps in addresses although they are known to track.
ALTER TABLE sites ADD COLUMN keep TEXT NOT NULL DEFAULT '';
