"""The texts of queries: fragments stand in their places, and rows become what each database expects."""

from __future__ import annotations

import re
from collections import Counter
from importlib.resources import files

import pytest

from grapevine.store import sql_loader

LARGEST = 2**63 - 1


@pytest.mark.parametrize("kind", ["bigint", "integer", "smallint"])
def test_numbers_are_written_out(kind: str) -> None:
    assert sql_loader.array_for_postgres(kind, "postgres", (1, None, -2)) == "{1,null,-2}"
    assert sql_loader.array_for_postgres(kind, "postgres", ()) == "{}"


def test_the_largest_numbers_stay_what_they_are() -> None:
    assert (
        sql_loader.array_for_postgres("bigint", "postgres", (LARGEST, -LARGEST - 1)) == f"{{{LARGEST},{-LARGEST - 1}}}"
    )


@pytest.mark.parametrize("dialect", ["postgres", "citus"])
def test_texts_stay_as_they_are(dialect: str) -> None:
    values = ("a,b", '"}', None)
    assert sql_loader.array_for_postgres("text", dialect, values) is values


def test_citus_gets_arrays() -> None:
    values = (1, None)
    assert sql_loader.array_for_postgres("bigint", "citus", values) is values
    query = sql_loader.queries()["insert_guards"]
    assert "text::" not in sql_loader.for_postgres(query, "citus").text
    assert "$3::text::bigint[]" in sql_loader.for_postgres(query).text


FRAGMENT = "-- fragment: seen\n-- Which visits count.\nflags = 0;\n"
QUERY = "-- name: visits\n-- Returns visits.\nSELECT 1 FROM visits WHERE {{seen}} OR (id = :id AND {{seen}});\n"


def test_fragments_of_every_file_stand_in_queries() -> None:
    text = sql_loader.parse({"a.sql": QUERY, "b.sql": FRAGMENT})["visits"].text
    assert text == "SELECT 1 FROM visits WHERE flags = 0 OR (id = :id AND flags = 0)"


def test_an_unknown_fragment_is_an_error() -> None:
    with pytest.raises(ValueError, match=r"a\.sql: query 'visits' uses the unknown fragment 'seen'"):
        sql_loader.parse({"a.sql": QUERY})


@pytest.mark.parametrize("text", [QUERY, FRAGMENT])
def test_a_second_definition_is_an_error(text: str) -> None:
    with pytest.raises(ValueError, match=r"b\.sql: (name 'visits'|fragment 'seen') is defined a second time"):
        sql_loader.parse({"a.sql": QUERY + FRAGMENT, "b.sql": text})


def test_a_fragment_is_used_twice_or_more() -> None:
    """No fragment uses another, which would stay as it is."""
    folder = files(sql_loader.__package__).joinpath("sql")
    texts = "".join(file.read_text("utf-8") for file in folder.iterdir() if file.name.endswith(".sql"))
    uses = Counter(re.findall(r"\{\{(\w+)\}\}", texts))
    assert len(uses) > 10
    assert uses.keys() == set(re.findall(r"^-- fragment: (\w+)$", texts, re.MULTILINE))
    assert min(uses.values()) >= 2
    assert not [query.name for query in sql_loader.queries().values() if "{{" in query.text]


def test_whole_rows_are_inserted_column_by_column() -> None:
    inserted = re.compile(r"INSERT INTO \w+(?: AS \w+)? \(([^()]*)\)\s+SELECT \* FROM rows")
    found = {
        query.columns: match[1] for query in sql_loader.queries().values() if (match := inserted.match(query.text))
    }
    assert len(found) > 10
    assert not [names for columns, names in found.items() if tuple(names.replace(",", " ").split()) != columns]


def test_other_columns_than_those_of_the_rows_are_an_error() -> None:
    text = "INSERT INTO t (a, b) SELECT * FROM rows(b text, a text) WHERE true ON CONFLICT (a) DO NOTHING"
    query = sql_loader.parse({"a.sql": f"-- name: put\n-- Inserts rows.\n{text};\n"})["put"]
    with pytest.raises(ValueError, match="query 'put' inserts other columns than those of its rows"):
        sql_loader.as_plain_insert(query)
