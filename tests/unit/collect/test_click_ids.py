"""The table of click ids, and what an address gives away."""

from __future__ import annotations

import pytest

from grapevine.collect.arrival_evidence import arrival_evidence
from grapevine.collect.click_ids import SHORTEST, click_id_of, click_ids_listed
from grapevine.collect.visitor_hash import click_sight
from grapevine.domain.enums import SOURCES
from grapevine.domain.urls import query_names
from grapevine.domain.visit_evidence import DECIDED_BY, EVIDENCE, decided_by, evidence_names, with_decision

PAGE = "https://a.example/deep"
ROWS = click_ids_listed().click_id
VALUE = "IwAR3xK8mQ"


def found(url: str) -> tuple[str, str, int] | None:
    return click_id_of(url, query_names(url))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.parameter)
def test_each_row_is_found_and_has_a_source(row: object) -> None:
    parameter, medium = row.parameter, row.medium  # type: ignore[attr-defined]
    assert found(f"{PAGE}?a=1&{parameter.upper()}={VALUE}#x") == (parameter, VALUE, SOURCES[medium])
    assert "http" in row.source  # type: ignore[attr-defined]


def test_no_parameter_is_listed_twice() -> None:
    assert len({row.parameter for row in ROWS}) == len(ROWS)
    assert all(row.parameter == row.parameter.lower() for row in ROWS)


@pytest.mark.parametrize(
    "url",
    [
        PAGE, f"{PAGE}?", f"{PAGE}?fbclid", f"{PAGE}?fbclid=", f"{PAGE}?fbclid=1", f"{PAGE}#fbclid={VALUE}",
        f"{PAGE}?fbclid={'x' * (SHORTEST - 1)}", f"{PAGE}?notfbclid={VALUE}", f"https://a.example/fbclid={VALUE}",
    ],
)  # fmt: skip
def test_what_is_no_click_id(url: str) -> None:
    assert found(url) is None


def test_the_first_row_and_the_first_value_count() -> None:
    assert found(f"{PAGE}?gclid={VALUE}g&fbclid={VALUE}f&fbclid={VALUE}z") == ("fbclid", f"{VALUE}f", SOURCES["social"])
    assert found(f"{PAGE}?fbclid=1&gclid={VALUE}g") == ("gclid", f"{VALUE}g", SOURCES["campaign"])


def test_a_hash_depends_on_all_that_it_is_of() -> None:
    same = click_sight(b"salt", 1, "fbclid", VALUE, -5)
    assert same == click_sight(b"salt", 1, "fbclid", VALUE, -5)
    others = [
        click_sight(b"other", 1, "fbclid", VALUE, -5), click_sight(b"salt", 2, "fbclid", VALUE, -5),
        click_sight(b"salt", 1, "gclid", VALUE, -5), click_sight(b"salt", 1, "fbclid", f"{VALUE}x", -5),
    ]  # fmt: skip
    assert len({same.key, *(other.key for other in others)}) == 5
    assert len({same.holder, *(other.holder for other in others)}) == 5
    another = click_sight(b"salt", 1, "fbclid", VALUE, 6)
    assert (another.key, another.holder != same.holder) == (same.key, True)


def test_evidence_is_read_as_it_was_written() -> None:
    click = found(f"{PAGE}?fbclid={VALUE}")
    assert click is not None
    for decision, code in DECIDED_BY.items():
        evidence = arrival_evidence(
            code, click_id_of(f"{PAGE}?fbclid={VALUE}", frozenset({"fbclid"})), PAGE, highlight=True
        )
        assert (decided_by(evidence), evidence_names(evidence)) == (decision, ["click-id", "highlight-link"])
        assert decided_by(with_decision(evidence, "token")) == "token"
    shown = arrival_evidence(0, None, f"{PAGE}#:~:text=some%20words", highlight=False)
    assert evidence_names(shown) == ["highlight-link"]
    assert arrival_evidence(0, None, f"{PAGE}#text", highlight=False) == 0
    assert evidence_names(sum(EVIDENCE.values())) == list(EVIDENCE)
