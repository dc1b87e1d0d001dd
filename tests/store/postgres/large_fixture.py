"""Many rows, generated within PostgreSQL in a few seconds, for tests of query plans.

400 days of four sites of very different size. Visits come in tens: a root, two that came back, one that came back
through one of those, a self-return, and five without a parent and without a child.
"""

from __future__ import annotations

from typing import Final

VISITS: Final = 200_000
FIRST_DAY: Final = 2_100
DAYS: Final = 400
SITE: Final = 1
PAGES: Final = 500

_FUNCTIONS: Final = f"""
    CREATE FUNCTION pg_temp.site(i bigint) RETURNS bigint LANGUAGE sql IMMUTABLE AS
        'SELECT 4 - (i / 10 % 100 < 99)::int - (i / 10 % 100 < 90)::int - (i / 10 % 100 < 60)::int';
    CREATE FUNCTION pg_temp.day(i bigint) RETURNS bigint LANGUAGE sql IMMUTABLE AS
        'SELECT {FIRST_DAY} + i * {DAYS} / {VISITS}';
    CREATE FUNCTION pg_temp.cell(i bigint) RETURNS bigint LANGUAGE sql IMMUTABLE AS
        'SELECT CASE WHEN i % 10 < 5 THEN i / 10 * 7919 % 4096 ELSE i * 104729 % 4096 END';
    CREATE FUNCTION pg_temp.id(i bigint) RETURNS bigint LANGUAGE sql IMMUTABLE AS
        'SELECT (pg_temp.day(i) << 44) | (pg_temp.cell(i) << 32) | ((i * 2654435761) & 4294967295)';
    CREATE FUNCTION pg_temp.at(i bigint) RETURNS bigint LANGUAGE sql IMMUTABLE AS
        'SELECT (18262 + pg_temp.day(i)) * 86400000 + i % 500 * 172800';
"""
_MEASURED: Final = "1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0"
_EVENTS: Final = f"""
    INSERT INTO visits (
        site_id, visit_id, cell, nonce_check, at, next_view, page_id, source, device, app, visitor,
        channel, n, via_id, parent_id, root_id, depth, flags, evidence
    )
    SELECT pg_temp.site(i), pg_temp.id(i), pg_temp.cell(i), i, pg_temp.at(i), 2, 1 + i * 31 % {PAGES},
        CASE WHEN i % 10 BETWEEN 1 AND 4 THEN 0 ELSE 2 + i % 8 END, i % 4, CASE WHEN i % 7 = 0 THEN 'instagram' END,
        i / 3 * 7919, CASE WHEN i % 10 BETWEEN 1 AND 4 THEN i % 20 END, CASE WHEN i % 10 BETWEEN 1 AND 4 THEN 0 END,
        NULL, CASE WHEN i % 10 IN (1, 2, 4) THEN pg_temp.id(i - i % 10) WHEN i % 10 = 3 THEN pg_temp.id(i - 2) END,
        CASE WHEN i % 10 BETWEEN 1 AND 4 THEN pg_temp.id(i - i % 10) END,
        CASE i % 10 WHEN 1 THEN 1 WHEN 2 THEN 1 WHEN 3 THEN 2 ELSE 0 END, CASE i % 10 WHEN 4 THEN 1 ELSE 0 END,
        CASE i % 15 WHEN 5 THEN 20 WHEN 6 THEN 48 WHEN 7 THEN 64 ELSE 3 END
    FROM generate_series(0::bigint, {VISITS - 1}) AS i;
    INSERT INTO shares (site_id, visit_id, cell, channel, n, page_id, first_at, reported_at, proven_at, returns)
    SELECT pg_temp.site(i), pg_temp.id(i), pg_temp.cell(i), i % 20, 0, 1, pg_temp.at(i), pg_temp.at(i), NULL, 0
    FROM generate_series(0::bigint, {VISITS - 1}) AS i WHERE i % 10 IN (0, 1, 5);
    INSERT INTO kept_shares (site_id, visit_id, cell, channel, n, page_id)
    SELECT site_id, visit_id, cell, channel, n, page_id FROM shares;
    INSERT INTO links (
        site_id, visit_id, cell, channel, url, label, external_id, campaign, places, keep, created_at, expires_at
    )
    SELECT site_id, visit_id, cell, 1, 'https://example.org/', 'label', 'contact-' || nonce_check, 'mailing', '', 0, at,
        CASE WHEN nonce_check % 100 = 0 THEN at + 1 END
    FROM visits WHERE nonce_check % 10 = 0;
    INSERT INTO link_names (site_id, kind, name_key, cell, visit_id)
    SELECT site_id, kind, CASE kind WHEN 1 THEN visit_id ELSE visit_id % 50 END, visit_id % 4096, visit_id
    FROM links, generate_series(1, 3) AS kind;
    INSERT INTO link_words (word_key, cell, site_id, visit_id, freed_at)
    SELECT visit_id, cell, site_id, CASE WHEN visit_id % 7 > 0 THEN visit_id END,
        CASE WHEN visit_id % 7 = 0 THEN created_at END
    FROM links WHERE visit_id % 20 = 0;
    INSERT INTO link_clicks (site_id, visit_id, cell, channel, n, clicks, clicked_at)
    SELECT site_id, visit_id, cell, channel, n, 5, created_at FROM links, generate_series(0, 1) AS n;
    INSERT INTO unfurls (site_id, visit_id, cell, channel, n, app, hour, at)
    SELECT site_id, visit_id, cell, channel, n, 'slack', first_at / 3600000, first_at FROM shares WHERE channel < 8;
    INSERT INTO conversions (site_id, visit_id, cell, goal, event_key, at, value, currency)
    SELECT pg_temp.site(i), pg_temp.id(i), pg_temp.cell(i), 'signup', i, pg_temp.at(i), i, 'EUR'
    FROM generate_series(0::bigint, {VISITS - 1}) AS i WHERE i % 10 IN (1, 6);
    INSERT INTO answers (site_id, visit_id, cell, event_key, at, text)
    SELECT site_id, visit_id, cell, event_key, at, 'a friend' FROM conversions WHERE event_key % 3 = 0;
    INSERT INTO cascades (
        site_id, root_id, cell, page_id, started_at, last_at, size, max_depth, shares, conversions, virality
    )
    SELECT site_id, visit_id, cell, page_id, at, at + visit_id % 864000000, 4 + visit_id % 9, 2 + visit_id % 3, 2,
        CASE WHEN visit_id % 10 = 0 THEN 1 ELSE 0 END,
        CASE WHEN visit_id % 3 > 0 THEN 1.0 + (visit_id % 1000) / 1000.0 END
    FROM visits WHERE root_id IS NULL AND nonce_check % 10 = 0;
    INSERT INTO guards (site_id, kind, guard_key, cell, expires_at)
    SELECT site_id, 1 + nonce_check % 3, visit_id % 4294967296 * 65537, cell, at FROM visits
    WHERE nonce_check % 2 = 0;
    INSERT INTO mentions (site_id, page_id, cell, mention_key, kind, source_url, at)
    SELECT pg_temp.site(i), 1 + i % 500, (1 + i % 500) % 4096, i, 1 + i % 2, 'https://blog.example/' || i, pg_temp.at(i)
    FROM generate_series(0::bigint, {VISITS - 1}, 10) AS i;
    INSERT INTO webmentions (
        webmention_id, site_id, source_url, source_host, target_url, received_at, attempts, checks, next_at
    )
    SELECT 'w' || mention_key, site_id, source_url, 'blog-' || mention_key % 5000 || '.example', 'https://example.org/',
        at, CASE WHEN mention_key % 30 = 10 THEN 1 ELSE 0 END, CASE WHEN mention_key % 20 = 0 THEN 1 ELSE 0 END,
        at + 604800000
    FROM mentions;
    INSERT INTO receipts (site_id, visit_id, cell, event_key, receipt_id, kid, issued_at, document, pseudonym_salt)
    SELECT site_id, visit_id, cell, event_key, 'r' || event_key, 'k', at, 'a signed text', 'salt' FROM conversions;
    INSERT INTO receipt_sharers (site_id, visit_id, cell, event_key, receipt_id, sharer_id)
    SELECT c.site_id, c.visit_id, c.cell, c.event_key, 'r' || c.event_key, v.root_id
    FROM conversions c JOIN visits v USING (site_id, visit_id, cell) WHERE v.root_id IS NOT NULL;
    INSERT INTO pages (site_id, page_id, cell, day, url)
    SELECT site, page, page % 4096, {FIRST_DAY} + page % {DAYS}, 'https://example.org/' || page
    FROM generate_series(1, 4) AS site, generate_series(1, {PAGES * 10}) AS page;
"""
_KEYS: Final = """
    INSERT INTO api_keys (key_id, site_id, name, scope, hash, created_at, revoked_at)
    SELECT 'key' || i, CASE WHEN i % 20 = 0 THEN -1 ELSE i / 3 END, 'key', 'read', 'hash' || i, i,
        CASE WHEN i % 5 = 0 THEN i END
    FROM generate_series(3, 20000) AS i;
    INSERT INTO key_sites (key_id, site_id)
    SELECT key_id, site FROM api_keys, generate_series(created_at / 3, created_at / 3 + 1) AS site WHERE site_id = -1;
"""
_COUNTS: Final = f"""
    INSERT INTO counts_hour
    SELECT site, (18262 + day) * 24 + hour, source, -1, 0, 0, {_MEASURED} FROM generate_series(1, 4) AS site,
        generate_series({FIRST_DAY}, {FIRST_DAY + DAYS - 1}) AS day, generate_series(0, 23) AS hour,
        generate_series(2, 3) AS source;
    INSERT INTO counts_day
    SELECT site, day, dimension, key, 0, {_MEASURED} FROM generate_series(1, 4) AS site,
        generate_series({FIRST_DAY}, {FIRST_DAY + DAYS - 1}) AS day, generate_series(0, 3) AS dimension,
        generate_series(0, 5) AS key;
    INSERT INTO counts_page
    SELECT site, day, page, 0, {_MEASURED} FROM generate_series(1, 4) AS site,
        generate_series({FIRST_DAY}, {FIRST_DAY + DAYS - 1}) AS day, generate_series(1, 40) AS page;
    INSERT INTO counts_week
    SELECT site, week, page, 0, 7, 7, 1, 1, 1, 0 FROM generate_series(1, 4) AS site,
        generate_series({FIRST_DAY} / 7, ({FIRST_DAY + DAYS - 1}) / 7) AS week, generate_series(1, 40) AS page;
    INSERT INTO counts_device
    SELECT site, day, device, app, 0, {_MEASURED} FROM generate_series(1, 4) AS site,
        generate_series({FIRST_DAY}, {FIRST_DAY + DAYS - 1}) AS day, generate_series(0, 3) AS device,
        unnest(ARRAY['', 'instagram', 'slack']) AS app;
    INSERT INTO counts_shared
    SELECT site, page, channel, 0, 1 FROM generate_series(1, 4) AS site, generate_series(1, 500) AS page,
        generate_series(0, 19) AS channel;
    INSERT INTO drops
    SELECT site, (18262 + day) * 24, reason, 0, 1 FROM generate_series(1, 4) AS site,
        generate_series({FIRST_DAY}, {FIRST_DAY + DAYS - 1}) AS day,
        unnest(ARRAY['robot', 'opted-out', 'invalid', 'duplicate']) AS reason;
"""
STATEMENTS: Final = f"{_FUNCTIONS}{_EVENTS}{_COUNTS}{_KEYS} ANALYZE;"
