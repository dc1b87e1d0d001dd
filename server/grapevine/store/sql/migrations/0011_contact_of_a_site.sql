-- The URL or mail address of those whom visitors may ask to have a visit erased; null where a site names none.
ALTER TABLE sites ADD COLUMN contact TEXT;
