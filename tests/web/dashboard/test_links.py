"""The pages "Links": the list, how a link is found, and one link with what it brought."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from grapevine.domain import ids
from grapevine.domain.channels import CODES
from tests.support.in_process_server import ORIGIN, Server
from tests.web.api.test_read_api import with_key
from tests.web.dashboard.dashboard_browser import HOSTILE, SLACKBOT, change, page, signed_in
from tests.web.dashboard.test_erase import signed_in_with

pytestmark = pytest.mark.anyio

LIST = "Links, newest first"


async def make(server: Server, **fields: Any) -> dict[str, Any]:
    """A link made by a key that may write; they are made a second apart."""
    key = await with_key(server, f"maker-{server.clock.now}", scope="write")
    server.clock.now += 1_000
    answer = await key.http.post("/v1/links", json={"url": f"{ORIGIN}/spring"} | fields)
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


async def clicked(server: Server, link: dict[str, Any], channel: str, n: int, clicks: int) -> None:
    """Stores that the short link of one token was followed so many times."""
    visit_id = ids.visit_number(link["visit"])
    assert visit_id is not None
    await change(
        server.store,
        "INSERT INTO link_clicks (site_id, visit_id, cell, channel, n, clicks, clicked_at) "
        f"VALUES (1, {visit_id}, {ids.cell_of(visit_id)}, {CODES[channel]}, {n}, {clicks}, {server.clock.now})",
    )


async def readers(server: Server, link: dict[str, Any]) -> None:
    """Two people follow the link, one of them its first place; the first passes it on to a third, who buys."""
    first = await server.visit(server.browser("192.0.2.2"), url=f"{ORIGIN}/spring", token=link["token"])
    await server.visit(server.browser("192.0.2.3"), url=f"{ORIGIN}/spring", token=link["places"][0]["token"])
    await server.share(first["tokens"]["copy"], url=f"{ORIGIN}/spring")
    third = await server.visit(server.browser("192.0.2.4"), url=f"{ORIGIN}/spring", token=first["tokens"]["copy"])
    fields = {"session": third["session"], "goal": "order", "value": "12.50", "currency": "EUR", "nonce": "n" * 16}
    assert (await server.post("conversions", **fields)).status_code == 200


async def test_a_site_without_links_learns_what_they_are(server: Server) -> None:
    client = await signed_in(server)
    shown = await page(client, "/links")
    assert "No link yet" in shown.text
    assert f'grapevine links create site-a {ORIGIN}/ --label "Poster in the window"' in shown.text
    assert 'data-site="site-a"' in shown.text  # nothing can come through a link before the site is embedded
    await server.visit()
    server.clock.now += 2_000
    assert 'data-site="site-a"' not in (await page(client, "/links")).text


async def test_one_link_shows_what_to_hand_out_and_what_it_brought(server: Server) -> None:
    link = await make(server, label="May letter", campaign="may", external_id="list-7", places=["door", "till"])
    await readers(server, link)
    await clicked(server, link, "link", 0, 1_200)
    await clicked(server, link, "qr", 2, 7)
    await server.browser(user_agent=SLACKBOT).get(f"/s/{link['token']}")
    await server.drops()
    client = await signed_in(server)
    listed = (await page(client, "/links")).tables[LIST][1]
    name = "May letterTracked link to/spring· list-7 · may"
    assert [listed[0].replace(" ", ""), *listed[1:5], *listed[6:8]] == [
        name.replace(" ", ""), "1\u202f200", "7", "2", "3", "2", "1",
    ]  # fmt: skip
    shown = await page(client, f"/links/{link['token']}")
    for said in (
        "Clicks 1 200 its short link was opened", "Scans 7 its QR code was opened", "Returns 2 visits through it",
        "All visits 3 with those that its readers brought", "Conversions 1 worth 12.50 EUR", link["url"],
        "evidence pasted in Slack: 1", f"/s/{link['token']}", "campaign may , external id list-7 .",
    ):  # fmt: skip
        assert said in shown.text
    assert [row[:2] for row in shown.tables["Visits of each generation"][1:]] == [["1", "2"], ["2", "1"]]
    places = shown.tables["Places of this link"][1:]
    assert [(row[0], *row[1:4]) for row in places] == [("door?at=door", "0", "0", "1"), ("till?at=till", "0", "7", "0")]
    qr = [value for value in shown.values("img", "src") if value.endswith("/qr.svg")]
    assert [httpx.URL(link["qr_url"]).path] == qr
    saved = shown.values("a", "download")
    assert saved[:3] == ["may-letter.svg", "may-letter.png", "may-letter-door.svg"]
    assert f"/cascades/{link['visit']}" in shown.values("a", "href")
    # Its tree begins with the link, which is no visit, and the pages of what grew from it lead back here.
    tree = await page(client, f"/cascades/{link['visit']}")
    assert "Tracked link “May letter” campaign may external id list-7 , made" in tree.text
    assert tree.tables["Visits of each depth"][1][1:] == ["0", "", "0", "the link itself"]
    for path in (f"/cascades/{link['visit']}", "/cascades", f"/tokens?token={link['token']}"):
        back = await page(client, path)
        assert f"/links/{link['token']}" in back.values("a", "href")
    # Every token of it leads here.
    for token in (link["places"][1]["token"], qr[0].split("/")[-2]):
        assert "May letter" in (await page(client, f"/links/{token}")).text


async def test_links_are_found_by_any_of_their_names_and_by_themselves(server: Server) -> None:
    first = await make(server, label="may", campaign="spring")
    second = await make(server, label="June", campaign="may", external_id="4711")
    await readers(server, await make(server, label="July", campaign="may", places=["door"]))
    client = await signed_in(server)

    async def names(url: str) -> list[str]:
        return [row[0].split("Tracked")[0] for row in (await page(client, url)).tables[LIST][1:]]

    assert await names("/links") == ["July", "June", "may"]
    assert await names("/links?campaign=may") == ["July", "June"]
    assert await names("/links?external_id=4711") == await names("/links?name=4711") == ["June"]
    # A name of two kinds is found as the first of them, and the page leads to the other.
    both = await page(client, "/links?name=may")
    assert [row[0].split("Tracked")[0] for row in both.tables[LIST][1:]] == ["July", "June"]
    (other,) = [link for link in both.values("a", "href") if "label=may" in link]
    assert await names(other) == ["may"]
    for said in ("Links 2 in this campaign", "Opened 1", "Forwarded 1", "Conversions 1 worth 12.50 EUR"):
        assert said in both.text
    assert [row[:2] for row in both.tables["Visits of each generation"][1:]] == [["1", "2"], ["2", "1"]]
    for text in (first["token"], f"see {first['url']}", f"/s/{first['token']}"):
        answer = await client.get("/links", params={"name": text})
        assert (answer.status_code, answer.headers["location"]) == (303, f"/links/{first['token']}")
    assert "No such link" in (await page(client, "/links?name=Ma")).text
    assert "No such link" in (await page(client, "/links?label=June&campaign=none")).text
    visit = await server.visit()
    token = visit["tokens"]["copy"]
    shared = await page(client, f"/links?name={token}")
    assert f"/tokens?token={token}" in shared.values("a", "href")
    for text in (token, visit["session"], "nothing", second["token"][:-1], "%00", "%F0%9F"):
        assert (await client.get(f"/links/{text}")).status_code == 404


async def test_the_list_is_paged(server: Server) -> None:
    key = await with_key(server, "many", scope="write")
    for number in range(27):
        server.clock.now += 1_000
        body = {"url": f"{ORIGIN}/spring", "label": f"Link {number}", "campaign": "all"}
        assert (await key.http.post("/v1/links", json=body)).status_code == 201
    client = await signed_in(server)
    for url in ("/links", "/links?campaign=all"):
        first = await page(client, url)
        (following,) = [link for link in first.values("a", "href") if "cursor=" in link]
        second = await page(client, following)
        rows = [row[0].split("Tracked")[0] for shown in (first, second) for row in shown.tables[LIST][1:]]
        assert sorted(rows) == sorted(f"Link {number}" for number in range(27))
        cursor = httpx.URL(following).params["cursor"]
        refused = await client.get("/links", params={"label": "another list", "cursor": cursor})
        assert refused.status_code == 422


async def test_what_people_write_stays_text(server: Server) -> None:
    long = HOSTILE + "W" * (200 - len(HOSTILE))
    link = await make(server, label=long, campaign=long, external_id=long)
    turned = "\u202egnirps\x85\u2066"
    other = await make(server, label="x")
    await change(
        server.store, f"UPDATE links SET label = '{turned}' WHERE visit_id = {ids.visit_number(other['visit'])}"
    )
    client = await signed_in(server)
    for path in ("/links", f"/links/{link['token']}", f"/links/{other['token']}"):
        answer = await client.get(path)
        assert answer.status_code == 200
        assert "alert(1)</script>" not in answer.text
        assert not {*turned[:1], "\x85", "\u2066"} & {*answer.text}
    for name in ("campaign", "label", "external_id", "name"):
        answer = await client.get("/links", params={name: long})
        assert answer.status_code == 200
        assert "alert(1)</script>" not in answer.text
        assert "Take this filter away" in answer.text


async def test_a_link_that_expired_says_so(server: Server) -> None:
    link = await make(server, label="Sale", expires_at="2099-01-01T00:00:00Z")
    client = await signed_in(server)
    assert "Its short link works until 1 Jan 2099" in (await page(client, f"/links/{link['token']}")).text
    await change(server.store, f"UPDATE links SET expires_at = {server.clock.now}")
    assert "This link expired" in (await page(client, f"/links/{link['token']}")).text
    assert "· expired" in (await page(client, "/links")).text


async def test_an_admin_deletes_a_link_where_its_token_is_looked_up(server: Server) -> None:
    link = await make(server, label="Sale", channel="email", campaign="may")
    await server.visit(server.browser("192.0.2.2"), url=f"{ORIGIN}/spring", token=link["token"])
    reader = await signed_in(server)
    assert "Delete this link" not in (await page(reader, f"/links/{link['token']}")).text
    client = await signed_in_with(server, "admin")
    (form,) = [
        url for url in (await page(client, f"/links/{link['token']}")).values("a", "href") if url.endswith("#erase")
    ]
    shown = await page(client, form)
    assert shown.text.count("Delete this link") == 2
    assert "Made 5 Nov 2026, 12:00 , and proven by a return; it leads to /spring ." in shown.text
    assert {link["visit"], "link"} <= set(shown.values("input", "value"))
    answer = await client.post("/tokens/erase", data={"visit": link["visit"], "kind": "link", "sure": "yes"})
    assert "The link is deleted." in (await client.get(answer.headers["location"])).text
    assert "it was deleted, or was never made" in (await page(client, f"/links/{link['token']}", 404)).text
    assert "No such link" in (await page(client, "/links?campaign=may")).text


async def test_behind_a_proxy_the_page_says_which_setting_is_missing(server: Server) -> None:
    link = await make(server, label="Sale")
    client = await signed_in(server)
    answer = await client.get(f"/links/{link['token']}", headers={"X-Forwarded-Host": "share.example"})
    assert "GRAPEVINE_BASE_URL" in answer.text
    assert "/qr.svg" not in answer.text
    assert link["url"] in answer.text


async def test_a_key_sees_the_links_of_its_own_site(server: Server) -> None:
    link = await make(server, label="Sale", campaign="may")
    await server.add_site("site-b", "https://b.example")
    client = await signed_in(server, site_id=2)
    assert "No link yet" in (await page(client, "/links")).text
    assert "No such link" in (await page(client, "/links?campaign=may")).text
    assert (await client.get(f"/links/{link['token']}")).status_code == 404
