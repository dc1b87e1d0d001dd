"""``POST /v1/links/rewrite``: a mail gets one link, whose token goes into each of its own links."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Generator
from typing import Any
from unittest.mock import ANY

import httpx
import pytest

from grapevine.links.mail.recipient_links import RecipientLinks
from grapevine.links.mail.schemas import MOST_BYTES
from grapevine.links.mail.tagging import ReadMail, read_mail
from grapevine.links.schemas import NewLink
from grapevine.web import mail_rewrites
from tests.support.in_process_server import BOTH_BACKENDS, NOON, ORIGIN, Server
from tests.web.api.test_read_api import KeyClient, refused, with_key

pytestmark = pytest.mark.anyio

PATIENCE_SECONDS = 60

MAIL = (
    f"<p>\r\n<a href=\"{ORIGIN}/spring?a=1&amp;utm_source=mail\">Spring</a>\t<!--[if mso]><v:rect href='{ORIGIN}/b#c'/>"
    '<![endif]-->\n<a href="https://other.example/">x</a><a href="{{ unsubscribe }}">u</a>é'
    f'<a data-grapevine-ignore href="{ORIGIN}/profile">p</a>'
)


@pytest.fixture
async def shop(server: Server) -> KeyClient:
    return await with_key(server, "shop", scope="write")


async def post(shop: KeyClient, html: str, key: str | None = None, **fields: Any) -> httpx.Response:
    headers = {} if key is None else {"Idempotency-Key": key}
    return await shop.http.post("/v1/links/rewrite", json={"html": html} | fields, headers=headers)


async def rows(server: Server) -> list[int]:
    found = [await server.store.look(f"SELECT count(*) FROM {table}") for table in ("visits", "links", "link_names")]
    return [int(number) for ((number,),) in found]


@BOTH_BACKENDS
async def test_a_mail_gets_one_link(server: Server, shop: KeyClient) -> None:
    response = await post(shop, MAIL, label="Spring", campaign="May", external_id=17)
    assert response.status_code == 200, response.text
    mail = response.json()
    token = mail["token"]
    changed = MAIL.replace("utm_source=mail", f"utm_source=mail#gv-{token}").replace("/b#c", f"/b?gv={token}#c")
    assert mail == {
        "html": changed, "token": token, "page": f"{ORIGIN}/spring?a=1", "links": 2,
        "skipped": {"elsewhere": 1, "tagged": 0, "ignored": 1, "template": 1, "unusable": 0},
    }  # fmt: skip
    assert await rows(server) == [1, 1, 3]
    link = await shop.json(f"/v1/links/{token}")
    names = {name: link[name] for name in ("channel", "label", "campaign", "external_id", "page")}
    assert names == {
        "channel": "email", "label": "Spring", "campaign": "May", "external_id": "17", "page": mail["page"],
    }  # fmt: skip

    again = (await post(shop, changed, label="Spring")).json()
    assert (again["html"], again["token"], again["page"], again["links"]) == (changed, None, None, 0)
    assert again["skipped"]["tagged"] == 2
    assert await rows(server) == [1, 1, 3], "a mail that is tagged gets no other link"


@BOTH_BACKENDS
async def test_a_repeat_gets_the_same_mail(server: Server, shop: KeyClient) -> None:
    first, *others = await asyncio.gather(*(post(shop, MAIL, "mailing 7") for _ in range(3)))
    others.append(await post(shop, MAIL, "mailing 7"))
    assert {(each.status_code, each.text) for each in others} == {(200, first.text)}
    assert await rows(server) == [1, 1, 0]
    ((size,),) = await server.store.look("SELECT max(length(answer)) FROM kept_answers")
    assert size < 1_000, "the mail itself is not kept"
    assert refused(await post(shop, MAIL + " ", "mailing 7")) == (422, "invalid", ["Idempotency-Key"])


@BOTH_BACKENDS
async def test_the_forward_depth_of_a_mailing(server: Server, shop: KeyClient) -> None:
    """Three recipients, of whom two open the mail, and one passes it on; and no secret of a mail is stored."""
    secret = "3f9a7c1e5b2d8f604a6c9e1b7d3f5a82"
    tokens = []
    for number in range(3):
        html = f'<a href="{ORIGIN}/spring?reset_token={secret}&amp;a={number}">Reset</a>'
        mail = (await post(shop, html, campaign="May", external_id=number)).json()
        assert mail["page"] == f"{ORIGIN}/spring?a={number}"
        assert f"{secret}&amp;a={number}#gv-{mail['token']}" in mail["html"]
        tokens.append(mail["token"])
    await server.visit(token=tokens[0], url=f"{ORIGIN}/spring")
    reader = await server.visit(server.browser("192.0.2.2"), token=tokens[1], url=f"{ORIGIN}/spring")
    friend = await server.visit(server.browser("192.0.2.3"), token=reader["tokens"]["whatsapp"], url=f"{ORIGIN}/spring")
    summary = await shop.json("/v1/links/summary", campaign="May")
    assert [summary[name] for name in ("links", "opened", "forwarded")] == [3, 2, 1]
    assert [(each["depth"], each["visits"]) for each in summary["generations"]] == [(1, 2), (2, 1)]
    found = await shop.json(f"/v1/tokens/{friend['tokens']['copy']}")
    assert found["link"]["external_id"] == "1"


@BOTH_BACKENDS
async def test_recipients_keep_their_links(server: Server, shop: KeyClient) -> None:
    site, now = await server.state.sites.by_id(1), NOON
    assert site is not None

    async def tokens(names: list[str | None], **fields: Any) -> tuple[list[str], int]:
        link = NewLink(**{"url": f"{ORIGIN}/spring", "channel": "email", "campaign": "May", **fields})
        links = RecipientLinks(server.store, server.state.nonces, site, server.state.link_bound, link)
        await links.read_known()
        return await links.tokens(names, now), links.made

    first, made = await tokens(["ann", "bob", "ann", None])
    assert (made, first[0] == first[2], len(set(first))) == (3, True, 3)
    assert await tokens([None, "eve", "ann"]) == ([first[3], ANY, first[0]], 1)
    for other in ({"label": "second mail"}, {"channel": "sms"}, {"campaign": "June"}, {"campaign": None}):
        assert (await tokens(["ann"], **other))[1] == 1
    assert (await tokens(["ann"], label=" second mail ", url=f"{ORIGIN}/edited"))[1] == 0
    assert [link["external_id"] for link in (await shop.json("/v1/links", campaign="June"))["links"]] == ["ann"]


async def test_bounds(server: Server, shop: KeyClient) -> None:
    link = f'<a href="{ORIGIN}/">x</a>\n'
    assert (await post(shop, link * 200)).json()["links"] == 200
    before = await rows(server)
    assert refused(await post(shop, link * 201)) == (422, "invalid", ["html"])
    whole = (await post(shop, "\n" * (MOST_BYTES - len(link)) + link)).json()
    assert whole["links"] == 1
    for large in ("x" * (MOST_BYTES + 1), "é" * (MOST_BYTES // 2) + "x", "\n" * (2 * MOST_BYTES)):
        assert refused(await post(shop, large))[:2] == (413, "too-large")
    assert refused(await post(shop, link, label="")) == (422, "invalid", ["label"])
    assert refused(await post(shop, "", channel="mail")) == (422, "invalid", ["channel"])
    assert refused(await post(shop, link, surprise=1)) == (422, "invalid", ["surprise"])
    assert refused(await post(shop, "\0")) == (422, "invalid", ["html"])
    reader = await with_key(server, "reader", scope="read")
    assert refused(await post(reader, link))[:2] == (403, "forbidden")
    after = await rows(server)
    assert after[1] == before[1] + 1


async def test_the_token_goes_where_the_site_has_it(server: Server) -> None:
    await server.add_site("site-q", "https://q.example", param="via", place="query")
    other = await with_key(server, "other", scope="write", site_id=2)
    mail = (await post(other, f'<a href="https://q.example/?a=1&b=2#c"><a href="{ORIGIN}/">')).json()
    assert mail["html"] == f'<a href="https://q.example/?a=1&b=2&via={mail["token"]}#c"><a href="{ORIGIN}/">'


async def test_few_mails_wait(shop: KeyClient, monkeypatch: pytest.MonkeyPatch) -> None:
    may_go = threading.Event()

    def read_slowly(*arguments: Any) -> Generator[None, None, ReadMail]:
        while not may_go.is_set():
            yield
        return read_mail(*arguments)

    monkeypatch.setattr(mail_rewrites, "reading_mail", read_slowly)
    calls = {asyncio.create_task(post(shop, MAIL)) for _ in range(mail_rewrites.MOST_AT_ONCE + 4)}
    refusals = set[asyncio.Task[httpx.Response]]()
    while len(refusals) < 4:
        done, _ = await asyncio.wait(calls - refusals, timeout=PATIENCE_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        assert done
        refusals |= done
    assert {refused(await each)[:2] for each in refusals} == {(503, "busy")}
    may_go.set()
    assert [(await each).status_code for each in calls - refusals] == [200] * mail_rewrites.MOST_AT_ONCE
    assert (await post(shop, MAIL)).status_code == 200
