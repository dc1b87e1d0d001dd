"""Adds outcomes to a filled store: what visits came to, what was said of them, and what a visit alone does not have.

Every table that can be exported gets many rows, with a value in every column: one visit in so many has a conversion, an
answer and a mention; one root in so many is the node of a minted link. The rows are those that the writer would have
left, as far as an export reads them; counts are not raised.
"""

from __future__ import annotations

import sqlite3

from grapevine.domain.channels import CODES
from grapevine.domain.enums import SOURCES

_ONE_VISIT_IN = "FROM visits WHERE rowid % :fewer = 0 AND flags & 4 = 0"
_STATEMENTS = (
    # Visitors choose titles.
    """
    UPDATE pages SET title = CASE page_id % 4 WHEN 0 THEN NULL WHEN 1 THEN '=HYPERLINK("x")'
        WHEN 2 THEN 'Größe, "quoted"' ELSE title END""",
    # Suspects, and erased visits, of which nothing is left but their position.
    "UPDATE visits SET verdict = 1 + rowid % 3 WHERE rowid % 50 = 1",
    """
    UPDATE visits SET page_id = 0, source = 0, device = 0, app = NULL, visitor = NULL, channel = NULL, n = NULL,
        via_id = NULL, flags = (flags & 1) | 4, reason = NULL, verdict = NULL, network = NULL
    WHERE rowid % 500 = 3""",
    "DELETE FROM shares WHERE visit_id IN (SELECT visit_id FROM visits WHERE flags & 4)",
    "DELETE FROM unfurls WHERE visit_id IN (SELECT visit_id FROM visits WHERE flags & 4)",
    f"""
    INSERT INTO links (
        site_id, visit_id, cell, channel, url, label, external_id, campaign, word, places, keep, created_at, expires_at
    )
    SELECT v.site_id, v.visit_id, v.cell, {CODES["link"]}, p.url, '+49 "call", no. ' || v.rowid,
        CASE WHEN v.rowid % 2 = 0 THEN 'crm-' || v.rowid END, CASE WHEN v.rowid % 3 = 0 THEN 'autumn' END,
        CASE WHEN v.rowid % 5 = 0 THEN 'word-' || v.rowid END, CASE WHEN v.rowid % 7 = 0 THEN 'door stairs' ELSE '' END,
        v.rowid % 2, v.at, CASE WHEN v.rowid % 11 = 0 THEN v.at + 86400000 END
    FROM visits v JOIN pages p ON p.site_id = v.site_id AND p.page_id = v.page_id
    WHERE v.root_id IS NULL AND v.rowid % :fewer IN (1, 2)""",
    f"""
    UPDATE visits SET source = {SOURCES["link"]}, device = 0, app = NULL, visitor = NULL, network = NULL, reason = NULL,
        verdict = NULL WHERE EXISTS (SELECT 1 FROM links WHERE links.site_id = visits.site_id
            AND links.visit_id = visits.visit_id AND links.cell = visits.cell)""",
    f"""
    INSERT INTO link_clicks (site_id, visit_id, cell, channel, n, clicks, clicked_at)
    SELECT site_id, visit_id, cell, CASE WHEN visit_id % 2 = 0 THEN channel ELSE {CODES["qr"]} END, 0, visit_id % 9,
        created_at + 1000
    FROM links""",
    # A messenger looked at every link that was shared.
    """
    INSERT OR IGNORE INTO unfurls (site_id, visit_id, cell, channel, n, app, hour, at)
    SELECT site_id, visit_id, cell, channel, n, 'telegram', (first_at + 5000) / 3600000, first_at + 5000
    FROM shares WHERE first_at IS NOT NULL""",
    # Every third has an amount, in one of two currencies; a fifth of these were paid back in part.
    f"""
    INSERT INTO conversions (site_id, visit_id, cell, goal, event_key, external_id, at, value, currency, reported_by)
    SELECT site_id, visit_id, cell, CASE WHEN rowid % 7 = 0 THEN '@sign-up' ELSE 'order' END, rowid,
        CASE WHEN rowid % 13 > 0 THEN 'A-' || rowid END, at + 60000,
        CASE WHEN rowid % 3 = 0 THEN 49000000 + rowid % 997 * 10000 END,
        CASE WHEN rowid % 3 = 0 THEN CASE WHEN rowid % 2 = 0 THEN 'EUR' ELSE 'USD' END END, rowid % 2
    {_ONE_VISIT_IN}""",
    """
    INSERT INTO conversions (
        site_id, visit_id, cell, goal, event_key, external_id, at, value, currency, reported_by, refund_of, refunded_key
    )
    SELECT site_id, visit_id, cell, goal, event_key + 1000000000000, 'R-' || event_key, at + 86400000,
        -value / 2, currency, reported_by, external_id, event_key
    FROM conversions WHERE value IS NOT NULL AND external_id IS NOT NULL AND event_key % 2 = 0""",
    f"""
    INSERT INTO answers (
        site_id, visit_id, cell, event_key, at, text, contact, class, channel, rules, corrected, reported_by
    )
    SELECT site_id, visit_id, cell, rowid, at + 30000,
        CASE rowid % 4 WHEN 0 THEN 'A friend sent it, "really"' WHEN 1 THEN '=HYPERLINK("x")'
            WHEN 2 THEN 'Größe;' || char(10) || 'más'
            ELSE 'a podcast' END,
        CASE WHEN rowid % 10 = 0 THEN 'ann@example.com' END,
        CASE rowid % 4 WHEN 0 THEN 'friend' WHEN 3 THEN 'podcast' ELSE 'other' END,
        CASE WHEN rowid % 4 = 0 THEN {CODES["whatsapp"]} END, CASE WHEN rowid % 4 = 2 THEN NULL ELSE 1 END,
        CASE WHEN rowid % 9 = 0 THEN 'event' END, 0
    {_ONE_VISIT_IN}""",
    # Calls that a server told of name no visit.
    f"""
    INSERT INTO answers (site_id, visit_id, cell, event_key, at, text, contact, class, channel, rules, reported_by)
    SELECT site_id, 0, rowid % 4096, -rowid, at + 90000, '- on the phone: a colleague', NULL, 'friend', NULL, 1, 1
    {_ONE_VISIT_IN} AND rowid % 3 = 0""",
    """
    INSERT OR IGNORE INTO mentions (
        site_id, page_id, cell, mention_key, kind, feed_id, source_url, title, author, published_at, at, gone_at
    )
    SELECT v.site_id, v.page_id, p.cell, v.rowid, 1 + v.rowid % 2, CASE WHEN v.rowid % 2 = 1 THEN 'feed-1' END,
        'https://elsewhere.example/' || v.rowid, CASE WHEN v.rowid % 3 > 0 THEN 'A page, "quoted"' END,
        CASE WHEN v.rowid % 2 = 0 THEN '@ann' END, CASE WHEN v.rowid % 2 = 1 THEN v.at - 60000 END, v.at,
        CASE WHEN v.rowid % 17 = 0 THEN v.at + 86400000 END
    FROM visits v JOIN pages p ON p.site_id = v.site_id AND p.page_id = v.page_id WHERE v.rowid % :fewer = 0""",
)  # fmt: skip


def add_outcomes(database: sqlite3.Connection, fewer: int) -> None:
    """Adds them for one visit in ``fewer`` (at least 4), and commits."""
    for setting in ("journal_mode=OFF", "synchronous=OFF", "cache_size=-262144", "secure_delete=OFF"):
        database.execute(f"PRAGMA {setting}").fetchall()
    for statement in _STATEMENTS:
        database.execute(statement, {"fewer": fewer} if ":fewer" in statement else {})
    database.commit()
    database.execute("PRAGMA journal_mode=WAL").fetchall()
