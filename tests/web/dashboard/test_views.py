"""The dashboard on a real database: what each page shows, for which key, and escaping."""

from __future__ import annotations

import httpx
import pytest

from grapevine.domain import ids
from grapevine.sites.api_keys import hash_secret
from grapevine.store.rows import SEVERAL_SITES, KeyRow
from tests.support.in_process_server import NOON, ORIGIN, Server
from tests.web.dashboard.dashboard_browser import (
    HOME,
    HOSTILE,
    PAGES,
    SLACKBOT,
    add_key,
    chain_of_three,
    change,
    page,
    signed_in,
)
from tests.web.page_markup import Page

pytestmark = pytest.mark.anyio


async def test_every_page_can_be_read(server: Server) -> None:
    chain = await chain_of_three(server)
    client = await signed_in(server)
    for url in [*PAGES, f"/cascades/{chain['root']}", f"/tokens?token={chain['last']}"]:
        shown = await page(client, url)
        assert len(shown.headings) == 1
        assert shown.values("html", "lang") == ["en"]
        ids = [value for _, name, value in shown.attributes if name == "id"]
        assert len(ids) == len(set(ids))
        for _, name, value in shown.attributes:
            if name in ("aria-labelledby", "aria-describedby", "for"):
                assert set(value.split()) <= set(ids)
        for fragment in shown.values("a", "href"):
            assert not fragment.startswith("#") or fragment[1:] in ids


async def test_the_overview_says_what_the_api_says(server: Server) -> None:
    chain = await chain_of_three(server)
    await server.browser(user_agent=SLACKBOT).get(f"/s/{chain['last']}")
    await server.drops()
    client = await signed_in(server)
    key = {"Authorization": "Bearer gv_secret1"}
    shown = await page(client, "/")
    summary = (await server.http.get("/v1/stats/summary", headers=key)).json()
    assert summary["returns"] == 2
    assert f"Visits {summary['visits']} {summary['views']} page views" in shown.text
    assert "Returns 2 visits that came through a share; 0 self-returns counted apart" in shown.text
    assert "Shares 2 2 reported, 2 proven by a return" in shown.text
    assert "Pasted in Slack 1" in shown.text
    by_channel = (await server.http.get("/v1/stats/breakdown?by=channel", headers=key)).json()
    rows = shown.tables["Shares and returns by channel"][1:]
    assert [(row[0], row[1], row[2], row[4], row[5]) for row in rows] == [
        ({"copy": "Copied link", "whatsapp": "WhatsApp"}[row["key"]], "dark", str(row["shares"]), str(row["proven"]),
         str(row["returns"])) for row in by_channel
    ]  # fmt: skip
    for metric, column in (("visits", 1), ("shares", 2), ("returns", 3)):
        series = (await server.http.get(f"/v1/stats/series?metric={metric}&interval=day", headers=key)).json()
        table = shown.tables["Visits, shares and returns by day"][1:]
        assert [int(row[column]) for row in table] == [point["value"] for point in series]
    pages = (await server.http.get("/v1/stats/breakdown?by=page", headers=key)).json()
    table = shown.tables["Visits, shares and returns by page"][1:]
    assert [(ORIGIN + row[0], int(row[1]), int(row[3]), int(row[4])) for row in table] == [
        (row["key"], row["visits"], row["shares"], row["returns"]) for row in pages
    ]


async def test_a_filter_and_a_period_are_part_of_the_url(server: Server) -> None:
    await chain_of_three(server)
    await server.visit(url=f"{ORIGIN}/other")
    client = await signed_in(server)
    filtered = await page(client, f"/?page={ORIGIN}/story")
    assert "Visits 3 3 page views" in filtered.text
    assert [row[0] for row in filtered.tables["Visits, shares and returns by page"][1:]] == ["/story"]
    assert any("page=" in link and "days=7" in link for link in filtered.values("a", "href"))
    day = await page(client, "/?from=2026-11-05&to=2026-11-05")
    assert len(day.tables["Visits, shares and returns by hour"]) == 25
    empty = await page(client, "/?from=2020-01-01&to=2020-02-01")
    assert "Nothing in this period" in empty.text
    in_app = await page(client, "/?app=instagram&days=7")
    assert "app: Instagram" in in_app.text
    assert "Nothing in this period with this filter" in in_app.text


@pytest.mark.parametrize(
    "url",
    [
        "/?from=yesterday",
        "/?from=2026-13-01",
        "/?from=2026-02-01&to=2026-01-01",
        "/?days=0",
        "/?days=1e9",
        "/?channel=pigeon",
        "/cascades?sort=beauty",
        "/direct?days=0",
        "/conversions?model=taste",
        "/conversions?source=heaven",
        "/cascades?cursor=%00",
    ],
)
async def test_a_url_that_makes_no_sense_is_answered_with_a_page(server: Server, url: str) -> None:
    client = await signed_in(server)
    refused = await page(client, url, 422)
    assert "Back to the overview" in refused.text


async def test_a_cascade_as_a_tree_and_as_a_list(server: Server) -> None:
    chain = await chain_of_three(server)
    client = await signed_in(server)
    listed = await page(client, "/cascades")
    row = listed.tables["Cascades, largest first"][1]
    assert [row[index] for index in (0, 1, 3, 4, 5, 6)] == ["/story", "3", "2", "1", "1.33", "2"]
    assert f"/cascades/{chain['root']}" in listed.values("a", "href")
    shown = await page(client, f"/cascades/{chain['root']}")
    assert "".join(shown.headings).replace(" ", "") == "a.example/storymeasured"
    assert len(shown.values("circle", "r")) == 3
    assert shown.text.index("First visit /story") < shown.text.index("Copied link +1") < shown.text.index("WhatsApp +2")
    generations = [(row[0], row[1], row[4]) for row in shown.tables["Visits of each depth"][1:]]
    assert generations == [("0", "1", "the first visit"), ("1", "1", "Copied link 1"), ("2", "1", "WhatsApp 1")]
    for other in ("nothing", "0" * 11, chain["third"]["visit"]):
        assert (await client.get(f"/cascades/{other}")).status_code == 404


async def test_a_cascade_shows_where_its_links_were_pasted(server: Server) -> None:
    chain = await chain_of_three(server)
    for token in (chain["middle"]["tokens"]["whatsapp"], chain["last"]):
        await server.browser(user_agent=SLACKBOT).get(f"/s/{token}")
    await server.visit()  # a batch carries the unfurls along
    shown = await page(await signed_in(server), f"/cascades/{chain['root']}")
    assert "evidence pasted in Slack: 2" in shown.text
    assert shown.text.count("pasted in Slack: 1") == 2
    listed = shown.text[shown.text.index("The same as a list") :]
    assert listed.index("Copied link") < listed.index("pasted in Slack: 1") < listed.index("WhatsApp")


async def test_suspects_are_shown_apart(server: Server) -> None:
    await chain_of_three(server)
    client = await signed_in(server)
    assert "Taken out of the counts" not in (await page(client, "/")).text
    others = [await server.visit(server.browser(f"192.0.2.{40 + number}")) for number in range(3)]
    for verdict, visit in zip((2, 2, 3), others, strict=True):
        number = ids.visit_number(visit["visit"])
        await change(server.store, f"UPDATE visits SET verdict = {verdict} WHERE visit_id = {number}")
    shown = await page(client, "/")
    rows = shown.tables["Visits taken out of the counts by verdict"][1:]
    assert [(row[0].split("Opened")[0], row[1]) for row in rows] == [("Mail scanners", "2"), ("Replayed links", "1")]
    key = {"Authorization": "Bearer gv_secret1"}
    for query, expected in (("", [0, 2, 1]), ("?page=https://a.example/story", [0, 0, 0])):
        summary = (await server.http.get(f"/v1/stats/summary{query}", headers=key)).json()
        assert list(summary["suspects"].items()) == list(zip(("driven", "scanner", "replay"), expected, strict=True))


async def test_a_suspect_in_a_chain_is_marked(server: Server) -> None:
    chain = await chain_of_three(server)
    root = ids.visit_number(chain["root"])
    await change(server.store, f"UPDATE visits SET verdict = 1 WHERE visit_id = {root}")
    client = await signed_in(server)
    for url in (f"/cascades/{chain['root']}", f"/tokens?token={chain['last']}"):
        shown = await page(client, url)
        assert shown.text.count("not counted: driven browsers") == 1
        assert shown.text.index("First visit") < shown.text.index("not counted") < shown.text.rindex("WhatsApp")


async def test_the_days_go_along_from_page_to_page(server: Server) -> None:
    client = await signed_in(server)
    for path in ("/", "/direct", "/conversions", "/cascades"):
        links = (await page(client, f"{path}?days=7&channel=copy")).values("a", "href")
        assert {"/?days=7", "/direct?days=7", "/conversions?days=7"} <= set(links)


async def test_cascades_are_paged(server: Server) -> None:
    client = await signed_in(server)
    for _ in range(27):
        first = await server.visit()
        await server.visit(server.browser("192.0.2.2"), token=first["tokens"]["copy"])
    first_page = await page(client, "/cascades?sort=recent")
    (following,) = [link for link in first_page.values("a", "href") if "cursor=" in link]
    second_page = await page(client, following)
    tables = [shown.tables["Cascades, last grown first"][1:] for shown in (first_page, second_page)]
    assert [len(table) for table in tables] == [25, 2]


async def test_a_token_shows_the_way_it_came(server: Server) -> None:
    chain = await chain_of_three(server)
    client = await signed_in(server)
    link = httpx.QueryParams(token=f"look: {ORIGIN}/story#gv={chain['last']}")
    for query in (f"token={chain['last']}", str(link)):
        shown = await page(client, f"/tokens?{query}")
        way = shown.text[shown.text.index("The chain that led here") :]
        order = ["First visit", "Copied link", "Depth 1", "WhatsApp", "Depth 2", "Copied link", "0 returns"]
        indexes = [0]
        for step in order:
            indexes.append(way.index(step, indexes[-1]))
        assert "Not reported by the page, not yet proven" in shown.text
    shown = await page(client, f"/tokens?token={chain['middle']['tokens']['whatsapp']}")
    assert "Reported by the page and proven by a return" in shown.text
    assert "Returns 1 proven: somebody came back Reach 1" in shown.text


async def test_a_bad_token_is_explained(server: Server) -> None:
    chain = await chain_of_three(server)
    await server.add_site("site-b", "https://b.example")
    client = await signed_in(server)
    unknown = (await server.state.sites.all())[0].tokens.mint(123 << 44 | 5, [0])[0]
    foreign = (await server.state.sites.all())[1].tokens.mint(5, [0])[0]
    last = chain["last"]
    forged = last[:-1] + ("0" if last[-1] != "0" else "1")
    for token, status, why in [
        ("hello", 400, "That is not a share token: it has 5 characters"),
        (forged, 422, "not signed for this site"),
        (foreign, 422, "not signed for this site"),
        (chain["third"]["session"], 422, "That is the session of a visit"),
        (unknown, 404, "is not stored here"),
        (HOSTILE, 400, "That is not a share token"),
    ]:
        answer = await client.get("/tokens", params={"token": token})
        assert answer.status_code == status
        assert why in Page(answer.text).text
        assert HOSTILE not in answer.text
    owner = server.browser(Origin=HOME)
    await add_key(server, "gv_all", 0)
    await owner.post("/sign-in", data={"key": "gv_all"})
    answer = await owner.get("/tokens", params={"token": foreign})
    assert "belongs to another of your sites, site-b" in Page(answer.text).text
    assert f"/tokens?site=site-b&token={foreign}" in Page(answer.text).values("a", "href")


async def test_a_key_for_several_sites_has_a_menu_of_these(server: Server) -> None:
    for name in ("site-b", "site-c"):
        await server.add_site(name, f"https://{name}.example")
    key = KeyRow(key_id="two", site_id=SEVERAL_SITES, name="two", scope="read", created_at=NOON, sites=(1, 3))
    await server.store.api_keys.add_key(key, hash_secret("gv_two"))
    client = server.browser(Origin=HOME)
    await client.post("/sign-in", data={"key": "gv_two"})
    shown = Page((await client.get("/")).text)
    links = {link for link in shown.values("a", "href") if link.startswith("/?site=")}
    assert links == {"/?site=site-a", "/?site=site-c"}
    assert (await client.get("/?site=site-c")).status_code == 200
    refused = await client.get("/?site=site-b")
    assert refused.status_code == 403
    assert "reaches no site with that name" in refused.text


async def test_a_key_sees_its_own_site_alone(server: Server) -> None:
    chain = await chain_of_three(server)
    await server.add_site("site-b", "https://b.example")
    client = await signed_in(server, site_id=2)
    for url in ("/", "/cascades", "/tokens", "/direct", "/links", "/conversions"):
        answer = await client.get(url)
        assert "site-a" not in answer.text
        assert "/story" not in answer.text
        for other in ("site-a", "no-such-site"):
            refused = await client.get(f"{url}?site={other}")
            assert refused.status_code == 403
            assert "reaches no site with that name" in refused.text
    assert (await client.get(f"/cascades/{chain['root']}")).status_code == 404
    assert (await client.get(f"/tokens?token={chain['last']}")).status_code == 422


async def test_a_key_for_all_sites_has_a_choice(server: Server) -> None:
    await chain_of_three(server)
    await server.add_site("site-b", "https://b.example")
    client = await signed_in(server, site_id=0)
    assert "/?site=site-b" in (await page(client, "/")).values("a", "href")
    other = await page(client, "/cascades?site=site-b")
    assert "No cascade yet" in other.text
    assert "/tokens?site=site-b" in other.values("a", "href")
    assert len((await page(client, "/cascades?site=site-a")).tables) == 1


async def test_what_strangers_write_stays_text(server: Server) -> None:
    hostile = f"{ORIGIN}/it's?a='onload=alert(1)&b=%3Cscript%3E"
    first = await server.visit(url=hostile, title=HOSTILE)
    await server.visit(server.browser("192.0.2.2"), url=hostile, token=first["tokens"]["copy"])
    client = await signed_in(server)
    for url in ("/", "/cascades", "/direct", f"/cascades/{first['visit']}", f"/tokens?token={first['tokens']['copy']}"):
        answer = await client.get(url)
        assert "alert(1)</script>" not in answer.text
        shown = Page(answer.text)
        assert not [name for _, name, _ in shown.attributes if name.startswith("on")]
        assert "'onload=alert(1)" in shown.text
    echoed = await client.get("/", params={"page": HOSTILE, "from": "2026-01-01"})
    assert "<script" not in echoed.text


async def test_before_the_first_visit_there_is_the_snippet(server: Server) -> None:
    client = await signed_in(server)
    shown = await page(client, "/")
    assert f'<script async src="{HOME}/widget.js" data-site="site-a"></script>' in shown.text
    assert ORIGIN in shown.text
    assert "No cascade yet" in (await page(client, "/cascades")).text


async def test_drops_are_shown_before_the_first_visit_too(server: Server) -> None:
    await server.post("visits", server.browser(Origin="https://evil.example"))
    await server.visit(server.browser("192.0.2.9"), url=f"{ORIGIN}/x")
    client = await signed_in(server)
    rows = (await page(client, "/")).tables["Refused reports by reason"]
    assert rows[1][0].startswith("Foreign origin")
    assert rows[1][1] == "1"


async def test_no_site_yet(server: Server) -> None:
    client = await signed_in(server, site_id=99)
    assert "grapevine site add" in (await page(client, "/")).text


async def test_files_are_kept_for_ever_under_their_hashed_names(server: Server) -> None:
    shown = await page(server.http, "/sign-in")
    (style,) = [link for link in shown.values("link", "href") if link.endswith(".css")]
    answer = await server.http.get(style)
    assert answer.headers["content-type"] == "text/css; charset=utf-8"
    assert "immutable" in answer.headers["cache-control"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    for name in ("dashboard.css", "..%2Fviews.py", "nothing.000000000000.css"):
        assert (await server.http.get(f"/static/{name}")).status_code == 404
