"""Every SQL text of the product, held against what Citus cannot do (``citus_rules``), so that no query is written that
works on one PostgreSQL and is refused by a cluster.

The rules come from Citus's documentation and source. That Citus does run what passes is seen on a cluster: test_citus.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from grapevine.store import sql_loader
from tests.store.postgres.citus_rules import Verdict, judge
from tests.store.postgres.citus_schema_rules import judge_schema, tables_of

MIGRATIONS = [sql_loader.for_dialect("citus", migration.text) for migration in sql_loader.migrations()]
TABLES = tables_of(MIGRATIONS)
TEXTS = {
    name: text for name, query in sql_loader.queries().items() if (text := sql_loader.for_postgres(query, "citus").text)
}

PULLED = {
    "visitors_by", "recount_hours", "recount_day_counts", "recount_pages", "recount_devices", "recount_visitors",
    "recount_views", "recount_days", "recount_shares", "recount_shared", "recount_cascades", "recount_chains",
    "recount_links", "recount_log_joins",
    "cascades_by_value", "visits_with_activity", "recount_weeks", "counts_of_pages", "direct_apps", "goals_by",
    "refused_and_bounded",
}  # fmt: skip
"""What Citus can only do by carrying rows to the coordinator: it works, and costs more the more rows there are. The
recounts are `grapevine doctor`'s; docs/scaling.md names all of them."""


@pytest.mark.parametrize("name", TEXTS)
def test_a_query_breaks_no_rule(name: str) -> None:
    assert judge(TEXTS[name], TABLES).broken == []


def test_the_schema_breaks_no_rule() -> None:
    for text in MIGRATIONS:
        assert judge_schema(text, TABLES) == []


def test_what_is_carried_to_the_coordinator_is_known_and_documented(project_root: Path) -> None:
    assert {name for name, text in TEXTS.items() if judge(text, TABLES).pulled} == PULLED
    documented = (project_root / "docs/scaling.md").read_text("utf-8")
    for name in PULLED:
        assert f"`{'recount_*' if name.startswith('recount_') else name}`" in documented


def test_every_query_names_the_cells_of_its_rows() -> None:
    """Else Citus asks all shards for a handful of rows, and one that is away stops what has no part in it."""
    checked = 0
    for name, text in TEXTS.items():
        if "cell" in sql_loader.queries()[name].columns:
            for table, alias in re.findall(
                r"(?:FROM|JOIN|^UPDATE) (\w+)(?: ([a-z]\w*))?", text.partition("*/ ")[2], re.MULTILINE
            ):
                if "cell" in TABLES.get(table, ()):
                    assert f"{alias or table}.cell = ANY ($" in text, (name, table)
                    checked += 1
    assert checked > 20


def test_event_tables_are_met() -> None:
    """The walk itself is awake: most texts read or write event tables."""
    events = {name for name, columns in TABLES.items() if "cell" in columns}
    assert {name for name in events if any(f" {name} " in f"{text} " for text in TEXTS.values())} >= {
        "visits", "shares", "conversions", "cascades", "pages", "counts_hour", "counts_page", "guards", "drops",
    }  # fmt: skip


# What the walk refuses ------------------------------------------------------------------------------------------------

ROWS = "unnest($1::bigint[], $2::bigint[], $3::smallint[]) AS rows(site_id, visit_id, cell)"
NO_CELL = "unnest($1::bigint[], $2::bigint[]) AS rows(site_id, visit_id)"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (
            (
                "WITH RECURSIVE path (visit_id, parent_id) AS (SELECT visit_id, parent_id FROM visits "
                "WHERE cell = $1 AND site_id = $2 AND visit_id = $3 UNION ALL SELECT v.visit_id, v.parent_id FROM path "
                "JOIN visits v ON v.visit_id = path.parent_id WHERE v.site_id = $2) SELECT visit_id FROM path"
            ),
            "recursion without cell and site_id fixed in both terms",
        ),
        (
            (
                "WITH RECURSIVE path (visit_id, parent_id) AS (SELECT visit_id, parent_id FROM visits "
                "WHERE cell = $1 AND visit_id = $3 UNION ALL SELECT v.visit_id, v.parent_id FROM path "
                "JOIN visits v ON v.visit_id = path.parent_id WHERE v.cell = $1) SELECT visit_id FROM path"
            ),
            "recursion without cell and site_id fixed in both terms",
        ),
        (
            (
                "WITH RECURSIVE path (visit_id, parent_id) AS (SELECT visit_id, parent_id FROM visits "
                "WHERE cell = $1 AND site_id = $2 UNION ALL SELECT v.visit_id, v.parent_id FROM path "
                "JOIN visits v ON v.visit_id = path.parent_id WHERE v.cell = $1 AND v.site_id = $2) "
                "SELECT s.n FROM path JOIN shares s ON s.visit_id = path.visit_id"
            ),
            "a statement with recursion reads more than one cell",
        ),
        ("SELECT s.n FROM shares s JOIN visits v ON v.visit_id = s.visit_id", "s and v are not joined on cell"),
        (
            "SELECT s.n FROM shares s JOIN visits v ON v.visit_id = s.visit_id WHERE v.cell = $1 AND s.cell = $2",
            "s and v are not joined on cell",
        ),
        (
            "SELECT v.at FROM shares s CROSS JOIN LATERAL (SELECT v.cell, v.at FROM visits v WHERE v.at = s.n) AS v",
            "s and v are not joined on cell",
        ),
        ("SELECT s.n FROM shares s LEFT JOIN visits v ON v.cell = s.cell OR true", "s and v are not joined on cell"),
        (
            "SELECT v.at, (SELECT count(*) FROM shares s WHERE s.visit_id = v.visit_id) FROM visits v",
            "a subquery refers to what is around it, but not by cell",
        ),
        (f"SELECT v.at FROM {NO_CELL} JOIN visits v ON v.visit_id = rows.visit_id", "rows are not joined on cell"),
        ("SELECT visit_id FROM visits WHERE at < now()", "now() is not known"),
        ("SELECT visit_id FROM visits ORDER BY random()", "random() is not known"),
        ("SELECT pg_advisory_xact_lock($1)", "pg_advisory_xact_lock() is not known"),
        ("UPDATE visits SET at = CURRENT_TIMESTAMP WHERE cell = $1", "the server's own time"),
        ("SELECT visit_id FROM visits WHERE site_id = $1 FOR UPDATE", "rows are locked on several shards"),
        ("SELECT s.n FROM shares s JOIN visits v USING (site_id, visit_id, cell)", "not written with ON"),
        (
            "INSERT INTO drops (site_id, hour, reason, cell, drops) VALUES ($1, $2, $3, (SELECT 1), 1)",
            "a subquery inside VALUES",
        ),
        (f"INSERT INTO shares (site_id, visit_id) SELECT site_id, visit_id FROM {NO_CELL}", "filled without its cell"),
        (
            f"INSERT INTO shares (site_id, visit_id, cell) SELECT site_id, visit_id, site_id FROM {ROWS}",
            "gets a cell that is not the rows' own",
        ),
        (f"INSERT INTO shares (cell, site_id, visit_id) SELECT * FROM {ROWS}", "gets a cell that is not the rows' own"),
        ("SELECT * FROM visits WHERE cell = $1", "SELECT * of a table"),
        (
            (
                f"INSERT INTO shares (site_id, visit_id, cell) SELECT site_id, visit_id, cell FROM {ROWS} "
                "ON CONFLICT (site_id, visit_id) DO NOTHING"
            ),
            "a conflict target of shares without cell",
        ),
        (
            (
                f"INSERT INTO shares (site_id, visit_id, cell) SELECT site_id, visit_id, cell FROM {ROWS} "
                "ON CONFLICT DO NOTHING"
            ),
            "a conflict target of shares without cell",
        ),
        (
            (
                f"INSERT INTO shares (site_id, visit_id, cell) SELECT site_id, visit_id, cell FROM {ROWS} "
                "ON CONFLICT (site_id, visit_id, cell) DO UPDATE SET cell = 1"
            ),
            "has its cell changed",
        ),
        (
            (
                f"INSERT INTO shares (site_id, visit_id, cell) SELECT site_id, visit_id, cell FROM {ROWS} "
                "ON CONFLICT (site_id, visit_id, cell) DO UPDATE SET first_at = random()"
            ),
            "random() is not known",
        ),
        ("INSERT INTO sites (site_id) SELECT site_id FROM visits", "is on every node and is filled from event tables"),
        ("UPDATE visits SET cell = $1 WHERE site_id = $2 AND visit_id = $3", "has its cell changed"),
        (f"UPDATE visits SET flags = 1 FROM {NO_CELL} WHERE visits.visit_id = rows.visit_id", "not joined on cell"),
        (f"DELETE FROM visits USING {NO_CELL} WHERE visits.visit_id = rows.visit_id", "not joined on cell"),
        ("UPDATE visits SET flags = s.n FROM shares s WHERE s.visit_id = visits.visit_id", "not joined on cell"),
        ("UPDATE sites SET name = '' FROM visits v WHERE v.site_id = sites.site_id", "changed from event tables"),
        ("WITH gone AS (DELETE FROM guards RETURNING cell) SELECT cell FROM gone", "WITH gone changes rows"),
        ("TRUNCATE visits", "TruncateStmt is no query"),
        ("SELECT x FROM elsewhere", "elsewhere is no table of the schema"),
    ],
)
def test_it_refuses(text: str, says: str) -> None:
    broken = judge(text, TABLES).broken
    assert [rule for rule in broken if says in rule], broken


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("CREATE TABLE t (site_id BIGINT, cell SMALLINT, PRIMARY KEY (site_id))", "t: a unique key without cell"),
        ("CREATE TABLE t (site_id BIGINT PRIMARY KEY, cell SMALLINT)", "t: a unique key without cell"),
        ("CREATE TABLE t (site_id BIGINT, cell SMALLINT)", "t: no primary key"),
        ("CREATE UNIQUE INDEX i ON visits (site_id, visit_id)", "unique index i without cell"),
        ("CREATE TABLE t (id BIGSERIAL PRIMARY KEY)", "t.id: a sequence"),
        ("CREATE TABLE t (id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY)", "t.id: a sequence"),
        ("CREATE TABLE t (id BIGINT PRIMARY KEY DEFAULT nextval('s'))", "t.id: nextval() is not known"),
        ("CREATE TABLE t (id BIGINT PRIMARY KEY, at TIMESTAMP DEFAULT now())", "t.at: now() is not known"),
        ("CREATE TABLE t (id BIGINT PRIMARY KEY REFERENCES sites (site_id))", "t.id: a foreign key"),
        ("CREATE TABLE t (id BIGINT PRIMARY KEY, FOREIGN KEY (id) REFERENCES sites (site_id))", "t: a foreign key"),
        ("CREATE SEQUENCE s", "CreateSeqStmt is nothing that is done to distributed tables"),
        ("CREATE TRIGGER t AFTER INSERT ON visits EXECUTE FUNCTION f()", "CreateTrigStmt is nothing"),
        ("ALTER TABLE visits ADD COLUMN seen TIMESTAMP DEFAULT now()", "visits.seen: now() is not known"),
        ("UPDATE visits SET cell = 0", "visits has its cell changed"),
    ],
)
def test_it_refuses_in_the_schema(text: str, says: str) -> None:
    tables = TABLES | {"t": frozenset({"site_id", "cell", "id"})}
    broken = judge_schema(text, tables)
    assert [rule for rule in broken if says in rule], broken


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("SELECT count(DISTINCT visitor) FROM visits WHERE site_id = $1", "distinct values"),
        ("SELECT row_number() OVER (PARTITION BY visitor) FROM visits", "not partitioned by cell"),
        ("SELECT at FROM visits WHERE visitor IN (SELECT visitor FROM visits WHERE at > $1)", "asked by itself first"),
        ("SELECT count(*) FROM visits UNION ALL SELECT count(*) FROM shares", "a UNION over several shards"),
        ("SELECT n FROM (SELECT max(n) AS n FROM shares GROUP BY visit_id) AS s", "an answer without cell"),
    ],
)
def test_it_notes(text: str, says: str) -> None:
    verdict = judge(text, TABLES)
    assert verdict.broken == []
    assert [note for note in verdict.pulled if says in note], verdict


@pytest.mark.parametrize(
    "text",
    [
        "SELECT row_number() OVER (PARTITION BY cell, visitor) FROM visits",
        "SELECT count(DISTINCT visitor) FROM visits WHERE cell = $1 AND site_id = $2",
        "SELECT visit_id FROM visits WHERE cell = $1 AND site_id = $2 FOR UPDATE",
        "SELECT s.n FROM shares s JOIN visits v ON v.visit_id = s.visit_id WHERE v.cell = $1 AND s.cell = $1",
        "SELECT v.at, (SELECT count(*) FROM shares s WHERE s.cell = v.cell AND s.visit_id = v.visit_id) FROM visits v",
        (
            "WITH g AS (SELECT cell, visit_id FROM shares GROUP BY 1, 2) "
            "SELECT v.at FROM g JOIN visits v ON v.cell = g.cell AND v.visit_id = g.visit_id"
        ),
        "SELECT v.at FROM shares s CROSS JOIN LATERAL (SELECT v.cell, v.at FROM visits v WHERE v.cell = s.cell) AS v",
        "SELECT v.at, s.name FROM visits v JOIN sites s ON s.site_id = v.site_id",
    ],
)
def test_it_passes(text: str) -> None:
    assert judge(text, TABLES) == Verdict([], [])
