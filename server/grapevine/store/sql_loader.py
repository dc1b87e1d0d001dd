"""The SQL texts in ``sql/*.sql``: named, described, one text for every dialect.

A query is introduced by ``-- name: NAME`` and at least one comment line about its purpose. Parameters are
``:name``. A set of rows comes in as ``rows(column type, …)``, a table that each dialect spells in its own way; and
``/*sqlite TEXT */`` is TEXT on SQLite and nothing elsewhere, as ``/*postgres TEXT */`` is on PostgreSQL,
``/*single TEXT */`` on PostgreSQL that is one server and ``/*citus TEXT */`` where it is Citus's many. A text that is
nothing at all on a dialect is not run there.

A piece of text that several queries repeat is a fragment: it is introduced by ``-- fragment: NAME`` in the same way,
and queries of every file write ``{{NAME}}`` where it belongs. A fragment uses no other fragment.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple

import msgspec

_INTRODUCTION = re.compile(r"^-- (name|fragment): (\w+)\n((?:-- .*\n)+)", re.MULTILINE)
_FRAGMENT = re.compile(r"\{\{(\w*)\}\}")
_NAME = re.compile(r"(?<![:\w]):([a-z]\w*)")
_ROWS = re.compile(r"\brows\(([^()]*)\)")
_SAME_CELL = re.compile(r"\b(\w+)\.cell = \w+\.cell\b")
_MARKED = re.compile(r"/\*(sqlite|postgres|single|citus) (.*?) \*/", re.DOTALL)
_UNDERSTOOD = {"sqlite": ("sqlite",), "postgres": ("postgres", "single"), "citus": ("postgres", "citus")}
_TABLE = re.compile(r"\b(CREATE|DROP) TABLE (\w+)")
_NUMBERS = {"bigint", "integer", "smallint"}
_RETURNS_ROWS = re.compile(r"^SELECT|\sRETURNING\s", re.IGNORECASE)
_WRITER = msgspec.json.Encoder()  # JSON's numbers and null are those of an array
_WHOLE_ROWS = re.compile(
    r"(INSERT INTO \w+(?: AS \w+)?) \(([^()]*)\)\s+SELECT \* FROM rows\([^()]*\)\s+WHERE true\s+"
    r"(ON CONFLICT \([^()]*\) DO (?:NOTHING(?=\s+RETURNING|$)|UPDATE(?!.*RETURNING)).*?)(?:\s+RETURNING (.*))?",
    re.DOTALL,
)


class Query(NamedTuple):
    """A named query: its purpose, its text, and the columns of its ``rows(…)`` with their types (empty where it
    takes none)."""

    name: str
    purpose: str
    text: str
    columns: tuple[str, ...]
    types: tuple[str, ...]


class Prepared(NamedTuple):
    """A query in a dialect, and the names of its numbered parameters in their order."""

    text: str
    names: tuple[str, ...]


class CombinedQuery(NamedTuple):
    """Several queries as one statement of one row: an array of rows for each of those that return any, by name."""

    text: str
    returning: tuple[str, ...]


class Insertion(NamedTuple):
    """An INSERT of whole rows for SQLite, one row a time; ``returned`` are the indexes of the columns it returns."""

    text: str
    returned: tuple[int, ...]


class Migration(NamedTuple):
    """One numbered step of the schema."""

    number: int
    name: str
    text: str


@cache
def queries() -> dict[str, Query]:
    """All queries by name, in the project's own spelling."""
    entries = sorted(files(__package__).joinpath("sql").iterdir(), key=lambda entry: entry.name)
    return parse({entry.name: entry.read_text("utf-8") for entry in entries if entry.name.endswith(".sql")})


def parse(texts: Mapping[str, str]) -> dict[str, Query]:
    """Returns the queries of some files, by name. Raises ValueError when two have one name, or when a query uses a
    fragment that no file defines."""
    found: dict[tuple[str, str], tuple[str, str, str]] = {}
    for file, content in texts.items():
        parts = _INTRODUCTION.split(content)[1:]
        for kind, name, comment, text in zip(parts[::4], parts[1::4], parts[2::4], parts[3::4], strict=True):
            if (kind, name) in found:
                raise ValueError(f"{file}: {kind} {name!r} is defined a second time")
            found[kind, name] = file, comment, text.strip().removesuffix(";")
    fragments = {name: text for (kind, name), (_, _, text) in found.items() if kind == "fragment"}
    return {
        name: _query(name, comment, _expanded(text, fragments, f"{file}: query {name!r}"))
        for (kind, name), (file, comment, text) in found.items()
        if kind == "name"
    }


@cache
def migrations() -> list[Migration]:
    """The steps of the schema in their order; a new database takes them all."""
    folder = files(__package__).joinpath("sql", "migrations")
    steps = []
    for file in folder.iterdir():
        number, _, name = file.name.removesuffix(".sql").partition("_")
        steps.append(Migration(int(number), name, file.read_text("utf-8")))
    return sorted(steps)


@cache
def table_names() -> frozenset[str]:
    """The names of all tables that the newest schema has."""
    names: set[str] = set()
    for step in migrations():
        for verb, name in _TABLE.findall(step.text):
            names = names | {name} if verb == "CREATE" else names - {name}
    return frozenset(names)


def for_sqlite(query: Query, count: int = 0) -> Prepared:
    """The query as SQLite reads it: parameters by number, ``rows(…)`` as VALUES of ``count`` rows behind them."""
    text, names = _numbered(for_dialect("sqlite", query.text), "?")
    columns = ", ".join(f"column{position} AS {column}" for position, column in enumerate(query.columns, 1))
    width = len(query.columns)
    values = ", ".join(
        f"({', '.join(f'?{len(names) + row * width + column}' for column in range(1, width + 1))})"
        for row in range(count)
    )
    rows = f"(SELECT {columns} FROM (VALUES {values})) AS rows"  # noqa: S608  # the project's own text
    return _prepared(query, _ROWS.sub(lambda _: rows, text), names)


def combined_for_postgres(asked: Sequence[Query]) -> CombinedQuery:
    """Queries that take nothing but rows as one statement, their arrays behind each other: PostgreSQL runs each part of
    a WITH that changes something, and none of them sees what the others change."""
    parts, before = [], 0
    for query in asked:
        parts.append(f"{query.name} AS ({for_postgres(query, before=before).text})")
        before += len(query.columns)
    returning = tuple(query.name for query in asked if _RETURNS_ROWS.search(query.text))
    arrays = ", ".join(f"ARRAY(SELECT {name} FROM {name})" for name in returning)  # noqa: S608  # our own names
    return CombinedQuery(f"WITH {', '.join(parts)} SELECT {arrays}", returning)


def for_postgres(query: Query, dialect: str = "postgres", before: int = 0) -> Prepared:
    """The query as PostgreSQL reads it, or ``citus``: parameters by number, ``rows(…)`` as ``unnest`` of an array for
    each column, as ``array_for_postgres`` makes them; those are the parameters behind the named ones. ``before`` is the
    number of parameters of what stands before it.

    Citus looks into the shards of the rows' cells alone when the cells of every table are given, and not only that they
    are the same; else into all shards."""
    text, names = _numbered(for_dialect(dialect, query.text), "$")
    written = "text::" if dialect == "postgres" else ""
    arrays = {
        column: f"${index}::{written if kind in _NUMBERS else ''}{kind}[]"
        for index, (column, kind) in enumerate(zip(query.columns, query.types, strict=True), before + len(names) + 1)
    }
    if dialect == "citus" and "cell" in arrays:
        text = _SAME_CELL.sub(rf"\g<0> AND \1.cell = ANY ({arrays['cell']})", text)
    rows = f"unnest({', '.join(arrays.values())}) AS rows({', '.join(query.columns)})"
    return _prepared(query, _ROWS.sub(lambda _: rows, text), names)


def array_for_postgres(kind: str, dialect: str, values: Sequence[Any]) -> Sequence[Any] | str:
    """A column of rows as the parameter that ``for_postgres`` expects.

    Numbers are written out (PostgreSQL manual, 8.15.6), since asyncpg looks at each value of an array to see whether it
    is an array itself, which costs more than all the rest. Citus is given arrays that it can hand on to its workers.
    """
    if kind not in _NUMBERS or dialect != "postgres":
        return values
    return f"{{{_WRITER.encode(values)[1:-1].decode()}}}"


def for_dialect(dialect: str, text: str) -> str:
    """Returns ``text`` with the parts marked for ``dialect``, and without those marked for others."""
    return _MARKED.sub(lambda match: match[2] if match[1] in _UNDERSTOOD[dialect] else "", text)


def as_plain_insert(query: Query) -> Insertion | None:
    """The query as an ``Insertion``, when it inserts ``rows(…)`` unchanged; None when it does more.

    It returns columns of the rows that were really inserted. After ``ON CONFLICT DO NOTHING`` the number of changes
    says which those are: on SQLite that is quicker by a third than RETURNING.
    """
    found = _WHOLE_ROWS.fullmatch(query.text)
    if not found:
        return None
    insert, columns, conflict, returned = found.groups()
    if tuple(columns.replace(",", " ").split()) != query.columns:
        raise ValueError(f"query {query.name!r} inserts other columns than those of its rows")
    marks = ", ".join("?" * len(query.columns))
    indexes = tuple(query.columns.index(column.strip()) for column in returned.split(",")) if returned else ()
    return Insertion(f"/* grapevine {query.name} */ {insert} ({columns}) VALUES ({marks}) {conflict}", indexes)


def _query(name: str, comment: str, text: str) -> Query:
    rows = _ROWS.search(text)
    columns = [column.strip().partition(" ") for column in rows[1].split(",")] if rows else []
    return Query(
        name=name,
        purpose=" ".join(line.removeprefix("-- ") for line in comment.splitlines()),
        text=text,
        columns=tuple(column for column, _, _ in columns),
        types=tuple(kind for _, _, kind in columns),
    )


def _expanded(text: str, fragments: Mapping[str, str], user: str) -> str:
    def fragment(match: re.Match[str]) -> str:
        if match[1] not in fragments:
            raise ValueError(f"{user} uses the unknown fragment {match[1]!r}")
        return fragments[match[1]]

    return _FRAGMENT.sub(fragment, text)


def _numbered(text: str, mark: str) -> tuple[str, tuple[str, ...]]:
    names: dict[str, int] = {}
    return _NAME.sub(lambda match: f"{mark}{names.setdefault(match[1], len(names) + 1)}", text), tuple(names)


def _prepared(query: Query, text: str, names: tuple[str, ...]) -> Prepared:
    return Prepared(f"/* grapevine {query.name} */ {text}" if text.strip() else "", names)
