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
    "erased_roots", "joined_lines", "visits_to_join", "oldest_visits", "delete_links", "delete_link_names",
    "free_link_words", "delete_link_clicks", "make_stubs", "nodes_with_visits",
    "forget_roots_of_cascades", "note_last_returns",
    "old_external_ids", "last_uses_of_links", "drop_external_ids", "clicks_of_links",
    "last_return_of_links",
    "returns_of_links", "generations_of_links", "conversions_of_links", "conversions_below_links", "networks_of_link",
    "payable_conversions", "payable_conversions_of_visits", "referral_visits", "networks_of_links",
    "unfurls_of_link", "links_at_roots", "delete_deliveries_of_visits", "delete_some_deliveries_of_visits",
    "mention", "refresh_mention", "end_mention", "mentions_since", "mentions_of_site", "mentions_of_page",
    "page_is_mentioned", "mentions_by_sources", "due_webmentions", "claim_webmention", "repeat_webmention",
    "keep_webmention", "drop_webmention", "postpone_webmentions", "new_webmentions_of_host", "due_feeds", "claim_feed",
    "visit_of_guard", "conversion_of_receipt", "refunds_of_conversion", "receipts_of_conversion", "receipt_of_visit",
    "good_receipts_of_visits", "receipts_with_sharers", "receipts_of_conversions", "revoke_receipts",
    "delete_sharers_of_receipts", "forget_links_of_receipts", "receipt_ids_of_visits", "delete_receipt_guards",
    "delete_receipts_of_visits", "delete_receipt_sharers_of_visits", "delete_visits_as_sharers",
    "classify_answers", "correct_answer", "answers_of_site", "answers_by_measured", "oldest_mentions",
    "click_guards", "direct_evidence",
    "oldest_webmentions", "drop_failing_webmentions", "new_webmentions", "end_silence",
)  # fmt: skip


MORE = ("webmentions", "feeds")
"""More tables of which no query reads all rows."""
LONG = {"receipts", "receipt_sharers", "answers", "guards", "silences", "r", "s", "a", "c", "g"}
"""Still more of them, and the short names that queries give them."""
SMALL = "USING INDEX webmentions_new"
"""An index of few rows of a large table, which may be read whole: at most 15,000 webmentions were never read with
success (``mentions/bounds.py``)."""


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


def test_no_query_reads_a_whole_site(database: sqlite3.Connection) -> None:
    plans = {name: plan(database, name) for name in NARROW}
    database.close()
    tables = (
        "visits",
        "shares",
        "unfurls",
        "conversions",
        "pages",
        "cascades",
        "counts",
        "link",
        "deliveries",
        "d",
        "m",
        *MORE,
    )
    scans = tuple(f"SCAN {table}" for table in tables)
    wide = {
        name: [
            step
            for step in steps
            if not step.endswith(SMALL)
            and (
                step.endswith("(site_id=?)")
                or step.startswith(scans)
                or (step.startswith("SCAN") and step.split()[1] in LONG)
            )
        ]
        for name, steps in plans.items()
    }
    assert {name: steps for name, steps in wide.items() if steps} == {}


def test_visits_through_a_share_are_found_in_the_order_of_time(database: sqlite3.Connection) -> None:
    steps = [step for step in plan(database, "visits_to_join") if step.startswith("SEARCH v")]
    database.close()
    found = "SEARCH v USING INDEX visits_parent (parent_id=? AND channel=? AND n=? AND <expr>=? AND at>? AND at<?)"
    assert steps == [found] * 3


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
