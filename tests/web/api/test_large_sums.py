"""Sums of values beyond 64 bits: a client that posts conversions cannot break a site's numbers, and they stay exact."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import sys
from collections.abc import Iterable
from fractions import Fraction
from typing import Any, Final, NamedTuple

import pytest

from grapevine.analytics.metrics import DIMENSIONS
from grapevine.analytics.models.attribution import MODELS
from grapevine.collect.conversion_input import MOST_VALUE
from grapevine.domain import ids, money
from grapevine.web.dashboard import formats
from tests.support.in_process_server import NOON, ORIGIN, Server
from tests.web.api.test_read_api import KeyClient, refused, with_key
from tests.web.backend_pair import change
from tests.web.dashboard.dashboard_browser import page, signed_in

pytestmark = pytest.mark.anyio

MOST: Final = MOST_VALUE * money.MILLION
TIMES: Final = 10_000


class Grown(NamedTuple):
    """A cascade of two visits, in millionths: the first one converted once for ``first`` (USD), the second ``times``
    times for ``each`` (EUR)."""

    name: str
    times: int
    each: int
    first: int

    @property
    def total(self) -> int:
        return self.times * self.each + self.first

    @property
    def value(self) -> dict[str, str]:
        return {"EUR": money.decimal(self.times * self.each), "USD": money.decimal(self.first)}


GROWN: Final = (
    Grown("less by a millionth", TIMES, MOST - 1, TIMES + 1),
    Grown("largest", TIMES, MOST, 2),
    Grown("small", 1, 5_000_000, 1),
    Grown("largest in other parts", TIMES, MOST - 1, TIMES + 2),
)
COUNTS: Final = ("counts_day", "counts_hour", "counts_page", "counts_device")
WITHOUT: Final = ("without", "without too")
TOTAL: Final = {
    "EUR": money.decimal(sum(grown.times * grown.each for grown in GROWN)),
    "USD": money.decimal(sum(grown.first for grown in GROWN)),
}
EXACT: Final = {currency: Fraction(amount) for currency, amount in TOTAL.items()}
CONVERSIONS: Final = sum(grown.times + 1 for grown in GROWN)


class SiteWithLargeSums:
    """The answers to the first visits of the cascades by name, and a key to ask with."""

    def __init__(self, asker: KeyClient, firsts: dict[str, Any]) -> None:
        self.asker = asker
        self.firsts = firsts

    def root(self, name: str) -> str:
        return str(self.firsts[name]["visit"])

    def in_order(self) -> list[str]:
        """The roots of all cascades from the largest value on, of equals the last id first."""
        worth = {grown.name: grown.total for grown in GROWN}
        keys = [(worth.get(name, 0), ids.visit_number(first["visit"]) or 0) for name, first in self.firsts.items()]
        return [ids.visit_text(root) for _, root in sorted(keys, reverse=True)]


@pytest.fixture
async def site(server: Server) -> SiteWithLargeSums:
    firsts: dict[str, Any] = {}
    converted: list[str] = []
    for number, name in enumerate((*(grown.name for grown in GROWN), *WITHOUT)):
        first = await server.visit(server.browser(f"192.0.2.{number}"), url=f"{ORIGIN}/{number}")
        friend = await server.visit(server.browser(f"198.51.100.{number}"), token=first["tokens"]["copy"])
        firsts[name] = first
        for grown in GROWN:
            if grown.name == name:
                converted += conversions(friend["visit"], first["visit"], grown)
    # The counts only have to know that there are conversions: a summary asks for their sums then.
    counted = [f"UPDATE {table} SET conversions = 1" for table in COUNTS]
    await change(server, [*converted, *counted, "UPDATE visits SET app = 'slack'"])
    return SiteWithLargeSums(await with_key(server, "reader"), firsts)


def conversions(friend: str, first: str, grown: Grown) -> list[str]:
    """Statements that store the conversions of a cascade."""
    return [
        inserted(friend, grown.times, grown.each, "EUR"),
        inserted(first, 1, grown.first, "USD"),
        f"UPDATE cascades SET conversions = {grown.times + 1} WHERE root_id = {ids.visit_number(first)}",
    ]


def inserted(text: str, times: int, each: int, currency: str) -> str:
    """A statement that stores the conversions of a visit."""
    visit = ids.visit_number(text) or 0
    return (
        "INSERT INTO conversions (site_id, visit_id, cell, goal, event_key, external_id, at, value, currency) "
        f"WITH RECURSIVE counted (k) AS (SELECT 1 UNION ALL SELECT k + 1 FROM counted WHERE k < {times}) "
        f"SELECT 1, {visit}, {ids.cell_of(visit)}, 'order', k, NULL, {NOON}, {each}, '{currency}' FROM counted"
    )


def added(values: Iterable[dict[str, str]]) -> dict[str, Fraction]:
    """Exact sums by currency."""
    total: dict[str, Fraction] = {}
    for value in values:
        for currency, amount in value.items():
            total[currency] = total.get(currency, Fraction()) + Fraction(amount)
    return total


def shown(value: dict[str, str]) -> str:
    """Amounts as a page's text has them."""
    return " ".join(formats.money(value).split())


def test_the_sums_need_more_than_64_bits_and_more_than_floating_point() -> None:
    large = {grown.total for grown in GROWN if grown.name != "small"}
    assert min(large) > 1 << 63
    assert len(large) == 2
    assert len(set(map(float, large))) == 1


async def test_the_numbers_of_a_period(site: SiteWithLargeSums) -> None:
    summary = await site.asker.json("/v1/stats/summary")
    assert (summary["conversions"], summary["value"]) == (CONVERSIONS, TOTAL)
    for filters in ({"source": "share"}, {"channel": "copy"}):
        assert (await site.asker.json("/v1/stats/summary", **filters))["value"] == {"EUR": TOTAL["EUR"]}
    for by in DIMENSIONS:
        rows = await site.asker.json("/v1/stats/breakdown", by=by)
        expected = {"EUR": EXACT["EUR"]} if by == "channel" else EXACT  # first visits came through none
        assert added(row["value"] for row in rows) == expected, by


async def test_every_model_of_attribution(site: SiteWithLargeSums) -> None:
    for model in MODELS:
        found = await site.asker.json("/v1/attribution", model=model)
        assert (found["conversions"], found["value"]) == (CONVERSIONS, TOTAL)
        for name in ("channels", "pages", "shares"):
            values = [row["value"] for row in found[name]]
            assert added([*values, found["without_share"]["value"]]) == EXACT, (model, name)


@pytest.mark.parametrize("limit", [1, 2, 200])
async def test_the_order_of_values_is_exact_from_page_to_page(site: SiteWithLargeSums, limit: int) -> None:
    found: list[Any] = []
    cursor: dict[str, str] = {}
    while True:
        answer = await site.asker.json("/v1/cascades", sort="value", limit=limit, **cursor)
        found += answer["cascades"]
        if not answer["next"]:
            break
        cursor = {"cursor": answer["next"]}
    assert [one["root"] for one in found] == site.in_order()
    values = {one["root"]: (one["conversions"], one["value"]) for one in found}
    assert values == {
        **{site.root(grown.name): (grown.times + 1, grown.value) for grown in GROWN},
        **{site.root(name): (0, {}) for name in WITHOUT},
    }


async def test_a_cursor_reaches_as_far_as_sums_do(site: SiteWithLargeSums) -> None:
    furthest = (1 << 63) * money.MILLION - 1
    for value, found in ((furthest, len(site.firsts)), (0, 0), (-furthest, 0)):
        answer = await site.asker.json("/v1/cascades", sort="value", cursor=written("value", value, 0))
        assert len(answer["cascades"]) == found
    for beyond in (furthest + 1, -furthest - 1, 1e19):
        answer = await site.asker.get("/v1/cascades", sort="value", cursor=written("value", beyond, 0))
        assert refused(answer) == (422, "invalid", ["cursor"])


def written(*position: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(position).encode()).decode().rstrip("=")


async def test_every_cascade_and_everything_below_its_share(site: SiteWithLargeSums) -> None:
    for grown in GROWN:
        cascade = await site.asker.json(f"/v1/cascades/{site.root(grown.name)}")
        assert (cascade["conversions"], cascade["value"]) == (grown.times + 1, grown.value)
        token = site.firsts[grown.name]["tokens"]["copy"]
        reach = (await site.asker.json(f"/v1/tokens/{token}"))["reach"]
        assert (reach["conversions"], reach["value"]) == (grown.times, {"EUR": grown.value["EUR"]})
        assert (reach["visits"], reach["max_depth"]) == (1, 1)


async def test_the_pages_of_the_dashboard(server: Server, site: SiteWithLargeSums) -> None:
    client = await signed_in(server)
    assert f"worth {shown(TOTAL)}" in (await page(client, "/")).text
    reached = (await page(client, "/conversions")).text
    assert all(" ".join(formats.amount(amount).split()) in reached for amount in TOTAL.values())
    listed = (await page(client, "/cascades?sort=value")).text
    positions = [listed.index(shown(grown.value)) for grown in GROWN]
    assert len(set(positions)) == len(GROWN)
    for grown in GROWN:
        assert f"worth {shown(grown.value)}" in (await page(client, f"/cascades/{site.root(grown.name)}")).text
        await page(client, f"/tokens?token={site.firsts[grown.name]['tokens']['copy']}")
    await page(client, "/direct")


@pytest.mark.process
async def test_the_commands_that_show_values(server: Server, site: SiteWithLargeSums) -> None:
    day = ids.day_date(ids.day_at(NOON)).isoformat()
    assert (await said(server, "stats", server.site, "--from", day, "--to", day))["value"] == TOTAL
    for grown in GROWN:
        assert (await said(server, "cascade", site.root(grown.name)))["value"] == grown.value


async def said(server: Server, *arguments: str) -> Any:
    """Returns the JSON that a command prints while the server runs."""
    settings = server.state.settings
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GRAPEVINE_")}
    own = {"GRAPEVINE_DATABASE": settings.database, "GRAPEVINE_SECRET_KEYS": settings.secret_keys[0].decode()}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "grapevine", *arguments, "--json", env=kept | own, stdout=asyncio.subprocess.PIPE
    )
    out, _ = await process.communicate()
    assert process.returncode == 0
    return json.loads(out)
