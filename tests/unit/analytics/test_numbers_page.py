"""docs/what-the-numbers-say.md: its examples are computed by the functions that compute the dashboard's numbers."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Final

import pytest

from grapevine.analytics.metrics import ShareNumbers, summarize
from grapevine.analytics.models import attribution
from grapevine.analytics.models.virality import cascade_shape
from grapevine.domain import channels
from grapevine.domain.money import MILLION
from grapevine.store.rows import Counts
from grapevine.web.dashboard import formats
from grapevine.web.dashboard.labels import GLOSSARY, MODELS, channel

CLUMPS: Final = 6
"""Variance over mean of returns: what docs/spikes.md takes for a page that has shown nothing yet."""


@pytest.fixture(scope="module")
def page(project_root: Path) -> str:
    return (project_root / "docs/what-the-numbers-say.md").read_text("utf-8")


def table(page: str, name: str) -> list[list[str]]:
    """The rows of a marked table, without its head."""
    marked = re.search(rf"<!-- {name}: .*? -->\n(.*?)<!-- /{name} -->", page, re.DOTALL)
    assert marked, name
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in marked[1].strip().splitlines()]
    return rows[2:]


def test_the_ratios_of_the_example(page: str) -> None:
    counted = {name: int(value) for name, value in table(page, "example")}
    dark, public = counted["shares through private channels"], counted["shares through public networks"]
    shares = ShareNumbers(
        total=dark + public,
        reported=counted["shares that a page reported"],
        proven=counted["shares proven by a return"],
        dark=dark,
        public=public,
    )
    visits = Counts(visits=counted["visits"], returns=counted["returns"], self_returns=counted["self-returns"])
    found = summarize(visits, shares, {}, 0, {}, {}, {}, {}, {})
    assert found.k_factor is not None
    assert found.amplification is not None
    shown = {
        "Dark share": formats.percent(found.dark_share),
        "Return share": formats.percent(found.return_share),
        "K-factor": formats.ratio(found.k_factor),
        "Amplification": f"×{formats.ratio(found.amplification)}",
    }
    assert dict(table(page, "results")) == {name: text.replace(formats.THIN, " ") for name, text in shown.items()}
    first = round(100 * found.k_factor)
    assert f"100 visits bring {first} more, these bring {round(first * found.k_factor)} more" in page
    assert f"there are {round(100 * found.amplification)} for each 100" in page
    assert f"brings 1,000 visits, expect {10 * round(100 * found.amplification):,}" in page
    both = shares.reported + shares.proven - shares.total
    assert f"{both} are both" in page
    assert f"{shares.proven - both} are proven although no report arrived" in page


def test_each_number_of_the_dashboard_is_there(page: str) -> None:
    text = page.lower()
    assert [word for word in GLOSSARY if word.lower() not in text] == []


def test_what_is_chance(page: str) -> None:
    assert round(2 * math.sqrt(CLUMPS)) == 5
    rows = table(page, "chance")
    for before, after, what, verdict in rows:
        threshold = {"shares": 2, "returns": 5}[what] * math.sqrt(int(before) + int(after))
        assert verdict == ("a difference" if int(after) - int(before) > threshold else "chance"), (before, after, what)
    assert {verdict for *_, verdict in rows} == {"a difference", "chance"}


def test_the_shapes(page: str) -> None:
    star = cascade_shape(0, [(visit, 0, 1) for visit in range(1, 10)])
    chain = cascade_shape(0, [(visit, visit - 1, visit) for visit in range(1, 10)])
    shown = [formats.ratio(shape.virality) for shape in (star, chain)]
    assert [value for _, value in table(page, "shapes")] == shown


def test_the_models(page: str) -> None:
    names = ("whatsapp", "copy", "email")
    chain = tuple((visit, channels.CODES[name], 0) for visit, name in enumerate(names))
    rows = {}
    for model in attribution.MODELS:
        credit = attribution.credit(model, [(chain, "EUR", 90 * MILLION)])
        worth = [credit[share].worth["EUR"] // MILLION if share in credit else 0 for share in chain]
        rows[MODELS[model].label] = [str(value) for value in worth]
    assert {row[0]: row[1:] for row in table(page, "models")} == rows
    assert f"| model | {' | '.join(map(channel, names))} |" in page
