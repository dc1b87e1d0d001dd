"""docs/privacy.md says the truth: its columns are the schema's, its durations the code's, its keys the widget's."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Final, NamedTuple

import pytest

from grapevine.background.cleanup import EVERY_SECONDS, oldest_salt
from grapevine.config.settings import SETTINGS
from grapevine.domain.ids import DAY_MS, HOUR_MS, day_start
from grapevine.links.expiry_job import EXTERNAL_ID_MS
from grapevine.store import sql_loader
from grapevine.store.repositories.kept_answers import KEPT_MS
from grapevine.store.repositories.link_words import RESERVED_MS
from grapevine.web.dashboard.session import MAX_AGE_SECONDS
from grapevine.webhooks.delivery import RETENTION_MS
from grapevine.writer.guards import NONCE_REMEMBERED_MS

PAGE: Final = "docs/privacy.md"
PERSONAL: Final = {"no", "pseudonymous", "personal", "depends"}
ERASED: Final = {"deleted", "emptied", "recounted", "stays", "–"}
UNITS_MS: Final = {
    "milliseconds": 1,
    "minutes": 60_000,
    "hours": HOUR_MS,
    "days": DAY_MS,
    "months": 365 * DAY_MS // 12,
}


class Described(NamedTuple):
    """Columns that the page describes in one row, of the tables that its heading names."""

    tables: tuple[str, ...]
    columns: tuple[str, ...]
    cells: tuple[str, ...]
    line: int


@pytest.fixture(scope="module")
def page(project_root: Path) -> str:
    return (project_root / PAGE).read_text("utf-8")


@pytest.fixture(scope="module")
def described(page: str) -> list[Described]:
    found: list[Described] = []
    tables: tuple[str, ...] = ()
    for number, line in enumerate(page.splitlines(), 1):
        if line.startswith("#"):
            tables = _quoted(line.partition(":")[0]) if line.startswith("#### ") else ()
        elif tables and line.startswith("| `"):
            first, *cells = _cells(line)
            found.append(Described(tables, _quoted(first), tuple(cells), number))
    assert len(found) > 60
    return found


@pytest.fixture(scope="module")
def durations(page: str) -> set[str]:
    """The words of the table in "How long"."""
    return {_cells(line)[0].strip("*") for line in _section(page, "How long") if line.startswith("| **")}


@pytest.fixture(scope="module")
def widget(project_root: Path) -> str:
    """The widget's source without comments."""
    files = sorted((project_root / "widget/src").rglob("*.js"))
    assert len(files) > 30
    text = "\n".join(file.read_text("utf-8") for file in files)
    return re.sub(r"/\*.*?\*/|^\s*//[^\n]*", "", text, flags=re.DOTALL | re.MULTILINE)


def test_each_column_of_the_schema_is_described(described: list[Described]) -> None:
    known = {(table, column) for row in described for table in row.tables for column in row.columns}
    missing = [
        f"{table}.{column} ({step})" for (table, column), step in _schema().items() if (table, column) not in known
    ]
    assert not missing, f"{PAGE} has a table for each table of the database: add a row there for each of {missing}"


def test_each_column_that_is_described_is_there(described: list[Described]) -> None:
    schema = _schema()
    gone = [
        f"{', '.join(row.tables)}: {column} (line {row.line})"
        for row in described
        for column in row.columns
        if not any((table, column) in schema for table in row.tables)
    ]
    assert not gone, f"{PAGE} describes columns that the schema does not have: {gone}"


def test_no_column_is_described_twice(described: list[Described]) -> None:
    names = [(row.tables, column) for row in described for column in row.columns]
    assert [name for name in names if names.count(name) > 1] == []


def test_each_column_has_its_purpose_and_the_words_that_are_explained(
    described: list[Described], durations: set[str]
) -> None:
    wrong = []
    for row in described:
        holds, why, personal, kept, erased, *more = row.cells + ("",) * 5
        known = personal in PERSONAL and _words(kept) <= durations and _words(erased) <= ERASED
        if not (holds and why and known and not any(more)):
            wrong.append(f"line {row.line}: {row.cells}")
    assert not wrong, f"{PAGE}: personal? is one of {PERSONAL}, kept some of {durations}, erased some of {ERASED}"
    assert {row.cells[2] for row in described} == PERSONAL
    assert {word for row in described for word in _words(row.cells[3])} == durations
    assert {word for row in described for word in _words(row.cells[4])} == ERASED


def test_what_an_erasure_leaves_of_a_visit_is_what_its_statement_leaves(described: list[Described]) -> None:
    changed = re.search(r"SET\s(.*?)\sWHERE", sql_loader.queries()["make_stub"].text, re.DOTALL)
    assert changed
    emptied = set(re.findall(r"(\w+) = ", changed[1])) | {"views"}  # made of next_view
    rows = [row for row in described if row.tables == ("visits",)]
    assert emptied == {name for row in rows for name in row.columns if "emptied" in _words(row.cells[4])}


def test_what_an_erasure_deletes_is_deleted_by_some_statement(described: list[Described]) -> None:
    texts = [query.text for query in sql_loader.queries().values()]
    deleted = {table for row in described for table in row.tables if "deleted" in _words(row.cells[4])}
    assert deleted >= {"shares", "unfurls", "conversions", "answers", "deliveries", "kept_shares"}
    of_a_visit = r"DELETE FROM {}\b.*:(?:visit_id|visit|visitor|page_id|guard_key)\b"
    others = {"suspected_floods", "webhooks"}  # described beside tables that are meant
    others.add("receipt_sharers")  # with the receipts that it revokes
    assert "receipt_id" in sql_loader.queries()["delete_sharers_of_receipts"].columns
    minted = {"links", "link_names", "link_clicks", "deliveries"}  # of several nodes at once
    assert minted <= deleted
    statements = {table: f"delete_{table}" for table in minted} | {"deliveries": "delete_deliveries_of_visits"}
    assert all("visit_id" in sql_loader.queries()[statement].columns for statement in statements.values())
    assert (
        sorted(
            table
            for table in deleted - others - minted
            if not any(re.search(of_a_visit.format(table), text, re.DOTALL) for text in texts)
        )
        == []
    )


def test_the_durations_are_those_of_the_code(page: str, durations: set[str]) -> None:
    stated = {_milliseconds(word) for word in durations if word[0].isdigit()}
    salts = _life_of_a_salt()
    assert stated == {salts, NONCE_REMEMBERED_MS, RETENTION_MS, KEPT_MS, EXTERNAL_ID_MS, RESERVED_MS}
    assert MAX_AGE_SECONDS * 1000 == RETENTION_MS, "one word stands for both"
    rows = "\n".join(_section(page, "How long"))
    days = {setting.name: setting.default for setting in SETTINGS}["retention_days"]
    assert f"`GRAPEVINE_RETENTION_DAYS` whole days ({days} unless set" in rows
    assert {_milliseconds(word) for word in re.findall(r"deleted within (\d+ \w+) after", rows)} == {
        EVERY_SECONDS * 1000
    }


def test_the_files_that_decide_are_there(page: str, project_root: Path) -> None:
    named = re.findall(r"`((?:\w+/)+\w+\.(?:py|js|md))(?:::(\w+))?`", page)
    assert len(named) > 8
    homes = (project_root, project_root / "server/grapevine")
    for file, test in named:
        found = [home / file for home in homes if (home / file).exists()]
        assert found, file
        assert f"def {test}(" in found[0].read_text("utf-8") if test else True, f"{file}::{test}"


def test_the_browsers_keys_are_those_of_the_widget(page: str, widget: str) -> None:
    documented = set()
    for line in _section(page, "What the browser keeps"):
        if re.match(r"\| `\w+` \| `grapevine[:`]", line):
            where, key = _cells(line)[:2]
            documented.add((where.strip("`"), key.strip("`")))
    keys = {
        name: key + ("SITE_KEY" if site else "")
        for name, key, site in re.findall(r"const (\w+) = '(grapevine:\w*)'( \+ config\.site)?;", widget)
    }
    widget, aliases = re.subn(r"storage = sessionStorage \|\| storage", "", widget)
    assert aliases == 1
    used = re.findall(r"\b(storage|localStorage|sessionStorage|new BroadcastChannel)[\[(](\w+)[\])]", widget)
    used += re.findall(r"\b(localStorage)\.(\w+)", widget)
    assert len(used) == len(re.findall(r"\bstorage\[|localStorage|sessionStorage|BroadcastChannel", widget))
    where_is = {"storage": "sessionStorage", "new BroadcastChannel": "BroadcastChannel"}
    assert documented == {(where_is.get(where, where), keys.get(name, name)) for where, name in used}


def test_the_fields_of_a_tab_are_those_of_the_widget(page: str, widget: str) -> None:
    rows = [
        _cells(line) for line in _section(page, "What the browser keeps") if re.match(r"\| `\w+`[^|]*\|[^|]*\|$", line)
    ]
    documented = {field for row in rows for field in _quoted(row[0])}
    made = re.search(r"const emptyTab = \(\) => \(\{(.*?)\}\)", widget, re.DOTALL)
    assert made
    taken = {name for names in re.findall(r"const {([\w, ]+)} = tab;", widget) for name in names.split(", ")}
    assert documented == set(re.findall(r"(\w+):", made[1])) | set(re.findall(r"\btab\.(\w+)", widget)) | taken


def test_the_widget_stores_nowhere_else(widget: str) -> None:
    elsewhere = (
        r"document\.cookie|cookieStore|indexedDB|\bcaches\b|serviceWorker|navigator\.storage|setItem|window\.name"
    )
    assert re.findall(elsewhere, widget) == []


def test_the_widget_writes_the_state_of_a_history_entry_in_one_place(project_root: Path) -> None:
    files = sorted((project_root / "widget/src").rglob("*.js"))
    others = r"(?:push|replace)State\((?!\)|history\.state,)"
    written = [f"{file.parent.name}/{file.name}" for file in files if re.search(others, file.read_text("utf-8"))]
    assert written == ["heldToken/part.js"]


@pytest.mark.parametrize(
    ("constant", "stated"),
    [("IDLE_TIMEOUT", "after 30 idle minutes"), ("MAX_AGE", "30 days"), ("RESPONSE_TIMEOUT", "150 milliseconds")],
)
def test_the_durations_in_the_browser_are_those_of_the_widget(
    page: str, widget: str, constant: str, stated: str
) -> None:
    found = re.search(rf"const {constant} = ([\de]+);", widget)
    assert found
    assert stated in "\n".join(_section(page, "What the browser keeps"))
    assert float(found[1]) == _milliseconds(stated.replace("idle ", "").removeprefix("after "))


def _schema() -> dict[tuple[str, str], str]:
    """(table, column) → the migration that added it, for every column of the newest schema."""
    added: dict[tuple[str, str], str] = {}
    with closing(sqlite3.connect(":memory:")) as connection:
        for migration in sql_loader.migrations():
            connection.executescript(sql_loader.for_dialect("sqlite", migration.text))
            now = set(_columns(connection))
            step = f"{migration.number:04}_{migration.name}"
            added = {key: added.get(key, step) for key in now}
    assert len(added) > 150
    return added


def _columns(connection: sqlite3.Connection) -> Iterator[tuple[str, str]]:
    tables = connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%'")
    for (table,) in tables.fetchall():
        for (column,) in connection.execute("SELECT name FROM pragma_table_xinfo(?)", (table,)):
            yield table, column


def _life_of_a_salt() -> int:
    """Milliseconds from the beginning of a salt's day until it may be destroyed."""
    day = 2_500
    ends = next(now for now in range(day_start(day), day_start(day + 9), HOUR_MS) if oldest_salt(now) > day)
    assert oldest_salt(ends - 1) == day
    return ends - day_start(day)


def _milliseconds(words: str) -> int:
    number, unit = words.split()
    return int(number) * UNITS_MS[unit]


def _section(page: str, title: str) -> list[str]:
    """The lines below a heading of the second level."""
    found = re.search(rf"^## {re.escape(title)}\n(.*?)(?=^## |\Z)", page, re.DOTALL | re.MULTILINE)
    assert found, f"{PAGE} has no section {title}"
    return found[1].splitlines()


def _words(cell: str) -> set[str]:
    return set(cell.split(", "))


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip().strip("|").split("|")]


def _quoted(text: str) -> tuple[str, ...]:
    return tuple(re.findall(r"`(\w+)`", text))
