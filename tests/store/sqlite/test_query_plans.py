"""How SQLite answers: every step of a chain or cascade goes through an index that names more than the site."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from grapevine.store import sql_loader

NARROW = (
    "chain_to_visit", "share", "unfurls_of_share", "reach_of_share", "page_urls", "cascades_by_size",
    "cascades_by_recent", "cascade_heads", "lonely_cascade", "cascade_values", "root_values", "shape_visits",
    "cascade_visits", "cascade_conversions", "visits_by", "visits_of_page_by", "conversions_by", "counts_hour_by",
    "counts_day_by", "counts_page_by", "counts_of_pages", "counts_device_by", "refused_and_bounded", "unfurls_by_app",
    "pages_with_returns", "returns_of_pages", "pages_first_seen", "shares_of_page", "last_opening", "busy_networks",
    "hidden_activity", "silent_openings", "visit_to_erase", "counted_visits_of_visitor", "take_shares", "take_unfurls",
    "take_conversions", "take_later_views", "delete_answers_of_visit", "make_stub", "views_in_weeks", "visits_on_page",
    "erased_roots",
)  # fmt: skip


@pytest.fixture
def database(tmp_path: Path) -> sqlite3.Connection:
    made = sqlite3.connect(tmp_path / "plans.sqlite3")
    for migration in sql_loader.migrations():
        made.executescript(sql_loader.for_dialect("sqlite", migration.text))
    return made


def plan(database: sqlite3.Connection, name: str) -> list[str]:
    query = sql_loader.queries()[name]
    text, names = sql_loader.for_sqlite(query, count=2)
    values = [1] * (len(names) + 2 * len(query.columns))
    return [row[3] for row in database.execute(f"EXPLAIN QUERY PLAN {text}", values)]


@pytest.mark.parametrize("name", NARROW)
def test_no_query_reads_a_whole_site(database: sqlite3.Connection, name: str) -> None:
    steps = plan(database, name)
    database.close()
    tables = ("visits", "shares", "unfurls", "conversions", "pages", "cascades", "counts")
    for step in steps:
        assert not step.endswith("(site_id=?)"), step
        assert not step.startswith(tuple(f"SCAN {table}" for table in tables)), step


def test_a_page_is_read_through_its_index(database: sqlite3.Connection) -> None:
    steps = " ".join(plan(database, "visits_of_page_by"))
    database.close()
    assert "visits_page" in steps


@pytest.mark.parametrize("name", ["keys_of_site", "keys_of_sites_after", "number_of_keys", "surplus_revoked_keys"])
def test_keys_of_a_site_are_found_without_a_look_at_each_key(database: sqlite3.Connection, name: str) -> None:
    steps = plan(database, name)
    database.close()
    assert "SEARCH a USING INDEX api_keys_site (site_id=?)" in steps
    assert "SEARCH k USING INDEX sqlite_autoindex_api_keys_1 (key_id=?)" in steps


def test_keys_of_a_deleted_site_are_found_without_a_look_at_each_key(database: sqlite3.Connection) -> None:
    steps = plan(database, "api_keys_to_delete")
    database.close()
    assert not [step for step in steps if step.startswith("SCAN")]


def test_the_next_keys_of_all_are_found_in_their_order(database: sqlite3.Connection) -> None:
    steps = plan(database, "keys_after")
    database.close()
    assert "SEARCH k USING INDEX api_keys_created ((created_at,key_id)>(?,?))" in steps
