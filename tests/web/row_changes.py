"""Changes of rows that no call makes: what is rare, and what only time or an older version brings about."""

from __future__ import annotations

import random

from grapevine.domain import ids
from tests.web.backend_pair import DAY, LIVELY
from tests.web.traffic import Author


def beyond_bounds(author: Author, chance: random.Random) -> list[str]:
    """Events that exceeded a bound, shares with a URL of their own, and more goals and currencies than are listed."""
    statements, rows = ["UPDATE shares SET url = 'https://a.example/own/' || visit_id WHERE n = 0 AND channel = 0"], []
    for site in LIVELY:
        hits = [f"({site.site_id}, {DAY + day}, {kind}, 1, {kind + day + 1})" for kind in range(5) for day in range(9)]
        statements.append(f"INSERT INTO bound_hits (site_id, day, kind, cell, events) VALUES {', '.join(hits)}")
        for number in range(80 if site is not LIVELY[0] else 0):
            visit = ids.visit_number(chance.choice(author.visits[site.key])) or 0
            at, currency = (
                ids.day_start(ids.day_of(visit)) + number,
                chance.choice("EUR USD GBP CHF SEK NOK DKK".split()),
            )
            place = f"{site.site_id}, {visit}, {ids.cell_of(visit)}"
            rows.append(f"({place}, 'goal {number % 70}', {number}, NULL, {at}, 7, '{currency}')")
    columns = "site_id, visit_id, cell, goal, event_key, external_id, at, value, currency"
    return [*statements, f"INSERT INTO conversions ({columns}) VALUES {', '.join(rows)}"]


def nothing(_: Author, __: random.Random) -> list[str]:
    """No change."""
    return []


def conversions(author: Author, chance: random.Random) -> list[str]:
    """Goals reached in some visits, with and without a value, also negative ones, in several currencies."""
    rows = []
    for site in LIVELY:
        for number, text in enumerate(chance.choices(author.visits[site.key], k=120)):
            visit = ids.visit_number(text) or 0
            currency = chance.choice(("'EUR'", "'USD'", "'jpy'", "NULL"))
            value = str(chance.randrange(-5_000_000, 90_000_000)) if chance.random() < 0.8 else "NULL"
            at = ids.day_start(ids.day_of(visit)) + chance.randrange(ids.DAY_MS)
            goal = chance.choice(("'order'", "'sign-up'"))
            rows.append(
                f"({site.site_id}, {visit}, {ids.cell_of(visit)}, {goal}, {number}, NULL, {at}, {value}, {currency})"
            )
    counted = (
        "SELECT count(*) FROM conversions c JOIN visits v ON v.site_id = c.site_id AND v.visit_id = c.visit_id "
        "AND v.cell = c.cell WHERE v.site_id = cascades.site_id "
        "AND COALESCE(v.root_id, v.visit_id) = cascades.root_id"
    )
    return [
        "INSERT INTO conversions (site_id, visit_id, cell, goal, event_key, external_id, at, value, currency) VALUES "
        + ", ".join(rows),
        f"UPDATE cascades SET conversions = ({counted})",
    ]


def losses(author: Author, chance: random.Random) -> list[str]:
    """Some visits erased, some past retention with all that they had, roots among them."""
    visits = [ids.visit_number(text) or 0 for site in LIVELY for text in author.visits[site.key]]
    erased, gone = chance.sample(visits, 25), chance.sample(visits, 25)
    return [
        f"UPDATE visits SET flags = flags | 4 WHERE visit_id IN ({', '.join(map(str, erased))})",
        *(
            f"DELETE FROM {table} WHERE visit_id IN ({', '.join(map(str, gone))})"
            for table in ("visits", "shares", "unfurls", "conversions")
        ),
    ]
