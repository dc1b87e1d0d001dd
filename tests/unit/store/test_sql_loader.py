"""What a column of rows is for PostgreSQL: numbers are written out, everything else is an array."""

from __future__ import annotations

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
