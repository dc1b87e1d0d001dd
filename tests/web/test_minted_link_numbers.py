"""A minted link with clicks over three generations: every number that the product tells of it is a count by hand."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

import pytest

from tests.support.in_process_server import BOTH_BACKENDS, Server
from tests.web.api.test_read_api import KeyClient, with_key
from tests.web.dashboard.dashboard_browser import page, signed_in
from tests.web.link_story import NAMES, PLACES, Came, LinkStory, worth

pytestmark = pytest.mark.anyio

DEADLINE_S = 60


@BOTH_BACKENDS
@pytest.mark.parametrize("clicks", [60, pytest.param(1_000, marks=pytest.mark.slow)])
async def test_every_number_of_a_link_is_a_count_by_hand(server: Server, clicks: int) -> None:
    owner = await with_key(server, "owner", scope="admin")
    story = LinkStory(server, owner)
    await story.happen(clicks)
    assert [each["depth"] for each in story.generations()] == [1, 2, 3]
    await _all_clicks(story)
    await _links_api(story)
    await _tokens(story)
    await _cascades(story)
    await _attribution(story)
    await _exports(story)
    await _summary(story)
    await _dashboard(story)


async def _all_clicks(story: LinkStory) -> None:
    """Clicks are counted without anybody waiting for it; so the last ones may be late."""
    async with asyncio.timeout(DEADLINE_S):
        while True:
            report = await story.owner.json(f"/v1/links/{story.link['token']}")
            if report["clicks"] + report["scans"] >= story.clicks.total():
                return
            await asyncio.sleep(0.02)


async def _links_api(story: LinkStory) -> None:
    report = await story.owner.json(f"/v1/links/{story.link['token']}")
    conversions, value = worth(story.came)
    listed = {
        "clicks": story.followed(),
        "scans": story.scans(),
        "returns": len(story.returns),
        "visits": len(story.visits),
        "max_depth": 3,
        "conversions": conversions,
    }
    brought = listed | {
        "self_returns": len(story.self_returns),
        "networks": len({one.address for one in story.returns}),
        "shares": len(story.shares()),
        "value": value,
        "generations": story.generations(),
        "unfurls": {"whatsapp": 1},
        "by_place": [
            {
                "at": name,
                "token": story.token(("email", n)),
                "qr_token": story.token(("qr", n)),
                "clicks": story.followed(n),
                "scans": story.scans(n),
                "returns": sum(one.through[1] == n for one in story.returns),
            }
            for n, name in enumerate(PLACES, 1)
        ],
    }
    assert {name: report[name] for name in brought} == brought
    assert {name: report[name] for name in NAMES} == NAMES
    for name, text in NAMES.items():
        (row,) = (await story.owner.json("/v1/links", **{name: text}))["links"]
        assert {name: row[name] for name in listed} == listed
    summary = await story.owner.json("/v1/links/summary", campaign="spring")
    together = {name: number for name, number in brought.items() if name in summary} | {
        "campaign": "spring", "links": 1, "opened": 1, "forwarded": 1,
        "generations": [{**each, "links": 1} for each in story.generations()],
    }  # fmt: skip
    assert summary == together
    assert (await story.owner.json("/v1/links/summary", campaign="Spring"))["links"] == 0


async def _tokens(story: LinkStory) -> None:
    """Each token of the link has its part of the returns, and its own reach."""
    names = {"token": story.link["token"], **NAMES}
    returns = Counter(one.through for one in story.returns)
    for through in {("email", 0), ("email", 1), ("qr", 0), ("qr", 2)}:
        found = await story.owner.json(f"/v1/tokens/{story.token(through)}")
        below = list(story.below(through))
        conversions, value = worth(below)
        assert found["link"] == names
        assert [(node["visit"], node["source"]) for node in found["chain"]] == [(story.link["visit"], "link")]
        assert (found["share"]["returns"], found["share"]["depth"]) == (returns[through], 0)
        assert found["share"]["self_returns"] == sum(one.through == through for one in story.self_returns)
        assert found["share"]["networks"] == returns[through]
        assert found["reach"]["visits"] == len(below)
        assert (found["reach"]["conversions"], found["reach"]["value"]) == (conversions, value)
    deepest = next(one for one in story.visits if one.depth == 3)
    found = await story.owner.json(f"/v1/tokens/{deepest.tokens['copy']}")
    assert (found["link"], found["share"]["depth"], found["chain"][0]["source"]) == (names, 3, "link")
    plain = await story.owner.json(f"/v1/tokens/{story.plain[0].tokens['copy']}")
    assert "link" not in plain


async def _cascades(story: LinkStory) -> None:
    names = {"token": story.link["token"], **NAMES}
    heads = (await story.owner.json("/v1/cascades"))["cascades"]
    assert [head["link"] for head in heads] == [names, None]
    cascade = await story.owner.json(f"/v1/cascades/{story.link['visit']}")
    conversions, value = worth(story.came)
    for head in (heads[0], cascade):
        assert (head["size"], head["max_depth"]) == (len(story.visits), 3)
        assert head["breadth"] == max(each["visits"] for each in story.generations())
        assert (head["conversions"], head["value"]) == (conversions, value)
        assert head["shares"] == len(story.shares())
        assert head["networks"] == len({one.address for one in story.visits})
        assert head["structural_virality"] == pytest.approx(_mean_distance(story))
    nodes = [node for node in cascade["nodes"] if not node.get("erased")]
    assert (nodes[0]["visit"], nodes[0]["link"]) == (story.link["visit"], names)
    assert {(node["visit"], node["depth"]) for node in nodes[1:]} == {(one.visit, one.depth) for one in story.visits}
    assert not any("link" in node for node in nodes[1:])


def _mean_distance(story: LinkStory) -> float:
    """The mean over all pairs of the link and its visits, each way counted step by step."""

    def path(one: Came) -> list[Came]:
        return [*path(one.parent), one] if one.parent else [one]

    paths: list[list[Came]] = [[], *map(path, story.visits)]
    total = 0
    for number, one in enumerate(paths):
        for other in paths[:number]:
            common = sum(mine is theirs for mine, theirs in zip(one, other, strict=False))
            total += len(one) + len(other) - 2 * common
    return 2 * total / (len(paths) * (len(paths) - 1))


async def _attribution(story: LinkStory) -> None:
    """The first touch of a conversion is a token of the link, but where its own visit was erased or stood aside."""
    found = await story.owner.json("/v1/attribution", model="first", limit=1_000)
    owed: dict[str, list[Came]] = {}
    for one in story.came:
        touches = one.touches
        if touches and touches[0].sharer is None:
            owed.setdefault(story.token(touches[0].through), []).append(one)
    ours = {row["key"]: row for row in found["shares"] if row["link"] is not None}
    expected = {token: worth(some) for token, some in owed.items() if worth(some)[0]}
    assert {key: (int(row["conversions"]), row["value"]) for key, row in ours.items()} == expected
    assert all(row["link"] == {"token": story.link["token"], **NAMES} for row in ours.values())
    conversions, value = worth([*story.came, *story.plain])
    assert (found["conversions"], found["value"]) == (conversions, value)


async def _exports(story: LinkStory) -> None:
    names = {"link": story.link["token"], **NAMES}
    visits = await _lines(story, "visits")
    tree = [line for line in visits if line["root"] == story.link["visit"] and not line["self"]]
    alive = {line["visit"] for line in tree if not line["erased"] and not line["verdict"] and line["source"] != "link"}
    assert alive == {one.visit for one in story.visits}
    (node,) = [line for line in visits if line["source"] == "link"]
    assert (node["visit"], node["views"], node["device"]) == (story.link["visit"], 0, "unknown")
    shares = [line for line in await _lines(story, "shares") if line["link"] and not line["verdict"]]
    assert {(line["visit"], line["channel"]) for line in shares if line["visit"] != node["visit"]} == story.shares()
    assert sum(line["returns"] for line in shares if line["visit"] == node["visit"]) == len(story.returns)
    converted = [line for line in await _lines(story, "conversions") if not line["verdict"]]
    ours = [line for line in converted if line["link"]]
    assert (len(ours), _added(ours)) == worth(story.came)
    assert len(converted) == len(ours) + 1
    for line in [*shares, *ours]:
        assert {name: line[name] for name in names} == names
    (link,) = await _lines(story, "links")
    report = await story.owner.json(f"/v1/links/{story.link['token']}")
    assert {name: link[name] for name in names} == names
    assert link["places"] == " ".join(PLACES)
    for name in ("clicks", "scans", "returns", "visits", "max_depth", "conversions"):
        assert link[name] == report[name]


async def _lines(story: LinkStory, table: str) -> list[Any]:
    answer = await story.owner.get(f"/v1/export/{table}", format="ndjson")
    return [json.loads(line) for line in answer.text.splitlines()]


def _added(lines: Iterable[Any]) -> dict[str, str]:
    sums: dict[str, Decimal] = {}
    for line in lines:
        sums[line["currency"]] = sums.get(line["currency"], Decimal(0)) + Decimal(line["value"])
    return {currency: f"{value:.2f}" for currency, value in sorted(sums.items())}


async def _summary(story: LinkStory) -> None:
    """The node is no visit, no view and no visitor, and nothing divides by it; its returns are returns."""
    summary = await story.owner.json("/v1/stats/summary")
    people = [one for one in [*story.came, *story.plain] if one.counts]
    selves = sum(one.kind == "self" for one in people)
    returns = len(story.visits) + 1
    conversions, value = worth(people)
    countable = len(people) - selves
    assert (summary["visits"], summary["views"], summary["visitors"]) == (len(people),) * 3
    assert (summary["returns"], summary["self_returns"]) == (returns, selves)
    assert summary["k_factor"] == pytest.approx(returns / countable, abs=1e-4)
    assert summary["amplification"] == pytest.approx(countable / (countable - returns), abs=1e-4)
    assert (summary["conversions"], summary["value"]) == (conversions, value)
    own_shares = len({one.through for one in story.returns})
    assert summary["shares"]["total"] == len(story.shares()) + own_shares + 1
    assert summary["unfurls"] == {"whatsapp": 1}
    depths = await story.owner.json("/v1/stats/breakdown", by="depth")
    by_depth = {row["key"]: row["returns"] for row in depths if row["returns"]}
    expected = Counter(one.depth for one in story.visits) + Counter([1])
    assert by_depth == dict(expected)
    rows = {row["key"]: row for row in await story.owner.json("/v1/stats/breakdown", by="source")}
    of_links = rows["link"]
    assert (of_links["visits"], of_links["views"], of_links["returns"], of_links["conversions"]) == (0, 0, 0, 0)
    assert (of_links["shares"], of_links["proven"]) == (own_shares, own_shares)
    direct = await story.owner.json("/v1/stats/direct")
    proven = {
        (one.sharer.visit, one.through[0])
        for one in [*story.visits, story.plain[3]]
        if one.sharer is not None and not one.sharer.erased
    }
    reported = sum(len(one.shared) for one in people)
    # Shares that visitors made, and none of the link's own tokens, although those are of the private channel e-mail.
    assert (direct["shares"]["proven"], direct["shares"]["reported"]) == (len(proven), reported)


async def _dashboard(story: LinkStory) -> None:
    client = await signed_in(story.server)
    shown = await page(client, f"/cascades/{story.link['visit']}")
    assert f"Tracked link “{NAMES['label']}” campaign spring external id contact-1842 , made" in shown.text
    generations = [row[:2] for row in shown.tables["Visits of each depth"][1:]]
    assert f"Shares {shown_as(len(story.shares()))} " in shown.text
    assert generations == [["0", "0"], *[[str(each["depth"]), str(each["visits"])] for each in story.generations()]]
    listed = await page(client, "/cascades")
    assert f"Tracked link “{NAMES['label']}”" in listed.text
    chain = await page(client, f"/tokens?token={story.link['token']}")
    assert f"Tracked link “{NAMES['label']}”" in chain.text
    people = sum(one.counts for one in [*story.came, *story.plain])
    overview = (await page(client, "/")).text
    assert f"Visits {shown_as(people)}" in overview
    assert f"Returns {shown_as(len(story.visits) + 1)}" in overview
    link = await page(client, f"/links/{story.link['token']}")
    conversions, _ = worth(story.came)
    for name, number in (
        ("Clicks", story.followed()), ("Scans", story.scans()), ("Returns", len(story.returns)),
        ("All visits", len(story.visits)), ("Shares", len(story.shares())), ("Conversions", conversions),
    ):  # fmt: skip
        assert f"{name} {shown_as(number)} " in link.text, name
    campaign = await page(client, "/links?campaign=spring")
    assert f"Clicks {shown_as(story.followed())} " in campaign.text


def shown_as(number: int) -> str:
    """A number as the dashboard writes it, white space of any width being a blank."""
    return f"{number:,}".replace(",", " ")


@BOTH_BACKENDS
async def test_a_link_that_brought_nothing(server: Server) -> None:
    owner: KeyClient = await with_key(server, "owner", scope="admin")
    made = await owner.http.post("/v1/links", json={"url": "https://a.example/", "campaign": "quiet", "channel": "qr"})
    link = made.json()
    report = await owner.json(f"/v1/links/{link['token']}")
    nothing = {
        "clicks": 0, "scans": 0, "returns": 0, "visits": 0, "max_depth": 0, "conversions": 0, "self_returns": 0,
        "networks": 0, "shares": 0, "value": {}, "generations": [], "unfurls": {}, "by_place": [], "clicked_at": None,
    }  # fmt: skip
    assert {name: report[name] for name in nothing} == nothing
    summary = await owner.json("/v1/stats/summary")
    assert (summary["visits"], summary["k_factor"], summary["amplification"]) == (0, None, None)
    cascade = await owner.json(f"/v1/cascades/{link['visit']}")
    assert (cascade["size"], cascade["structural_virality"], len(cascade["nodes"])) == (0, None, 1)
    client = await signed_in(server)
    assert "Tracked link" in (await page(client, f"/cascades/{link['visit']}")).text
    assert "Waiting for the first visit" in (await page(client, "/")).text

    # A goal that the shop's server reports for the link itself, and one in a self-return: there is no cascade yet.
    own = await server.visit(token=link["token"], own=True)
    for visit in (link["visit"], own["visit"]):
        body = {"visit": visit, "goal": "order", "value": "2.00", "currency": "EUR"}
        assert (await owner.http.post("/v1/conversions", json=body | {"id": visit})).status_code == 200
    report = await owner.json(f"/v1/links/{link['token']}")
    assert (report["conversions"], report["value"], report["visits"]) == (2, {"EUR": "4.00"}, 0)
    (row,) = (await owner.json("/v1/links"))["links"]
    assert row["conversions"] == 2

    # What was shared in a self-return counts here and in the cascade; the link's own token in neither.
    await server.share(own["tokens"]["copy"], url="https://a.example/")
    await server.share(link["token"], url="https://a.example/")
    report = await owner.json(f"/v1/links/{link['token']}")
    cascade = await owner.json(f"/v1/cascades/{link['visit']}")
    assert (report["shares"], cascade["shares"], cascade["size"]) == (1, 1, 0)
    await server.visit(token=link["token"])
    report = await owner.json(f"/v1/links/{link['token']}")
    cascade = await owner.json(f"/v1/cascades/{link['visit']}")
    assert (report["shares"], cascade["shares"], cascade["size"]) == (1, 1, 1)
    together = await owner.json("/v1/links/summary", campaign="quiet")
    assert (together["conversions"], together["value"], together["opened"], together["self_returns"]) == (
        2, {"EUR": "4.00"}, 1, 1,
    )  # fmt: skip
