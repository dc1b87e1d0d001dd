-- name: link_of_word
-- Returns the link that a word leads to; nothing where it leads to none, or to none any more.
SELECT site_id, visit_id FROM link_words WHERE cell = :cell AND word_key = :word_key AND visit_id IS NOT NULL;

-- name: words_of_site
-- Returns how many words a site has, with those that are kept from other sites.
SELECT count(*) FROM link_words WHERE site_id = :site_id;

-- name: take_words
-- Gives words to links; returns the keys of those that were free: never used, deleted before some time, or deleted by the
-- same site.
INSERT INTO link_words (word_key, cell, site_id, visit_id, freed_at)
SELECT word_key, cell, site_id, visit_id, CAST(NULL AS BIGINT)
FROM rows(word_key bigint, cell smallint, site_id bigint, visit_id bigint)
WHERE true
ON CONFLICT (word_key, cell) DO UPDATE SET site_id = excluded.site_id, visit_id = excluded.visit_id, freed_at = NULL
WHERE link_words.freed_at IS NOT NULL AND (link_words.site_id = excluded.site_id OR link_words.freed_at <= :free_before)
RETURNING word_key;

-- name: freed_words
-- Returns some words that were deleted before some time.
SELECT word_key, cell FROM link_words WHERE freed_at <= :before LIMIT :limit;

-- name: forget_words
-- Forgets words that were deleted before some time: any site may have them then.
DELETE FROM link_words
/*sqlite WHERE (word_key, cell) IN (SELECT * FROM rows(word_key bigint, cell smallint)) AND freed_at <= :before */
/*postgres USING rows(word_key bigint, cell smallint)
WHERE link_words.word_key = rows.word_key AND link_words.cell = rows.cell AND link_words.freed_at <= :before */;
