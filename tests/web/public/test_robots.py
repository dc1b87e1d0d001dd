"""Robots that name themselves: refused at every call, and evidence of where a link was pasted at ``/s/{token}``."""

from __future__ import annotations

import asyncio

import pytest

from grapevine.collect.list_overrides import list_overrides
from grapevine.domain import ids
from grapevine.sites.api_keys import hash_secret
from grapevine.store.rows import KeyRow
from tests.support.in_process_server import BOTH_BACKENDS, NOON, ORIGIN, Server

pytestmark = pytest.mark.anyio

IMESSAGE = (
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_11_1) AppleWebKit/601.2.4 (KHTML, like Gecko) "
    "Version/9.0.1 Safari/601.2.4 facebookexternalhit/1.1 Facebot Twitterbot/1.0"
)
FROM_THE_SENDER = {
    "WhatsApp/2.24.18.80 A": "whatsapp",  # Android
    "WhatsApp/2.23.20.0 i": "whatsapp",  # iPhone
    "WhatsApp/2.2605.103 W": "whatsapp",  # Windows and the web
    "WhatsApp/2": "whatsapp",  # Signal calls itself that: https://github.com/signalapp/Signal-Android/issues/13522
    IMESSAGE: "imessage",
}
"""Preview robots that run on the sender's own device, so that they come from the sender's own address."""

SEEN = {
    # https://api.slack.com/robots
    "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)": "slack",
    "Slack-ImgProxy (+https://api.slack.com/robots)": "slack",
    "Slackbot 1.0 (+https://api.slack.com/robots)": "slack",
    "TelegramBot (like TwitterBot)": "telegram",  # https://github.com/donatj/PhpUserAgent/issues/71
    "Mozilla/5.0 (compatible; Discordbot/2.0; +https://discordapp.com)": "discord",  # the address in it
    "Mozilla/5.0 (Windows NT 6.1; WOW64) SkypeUriPreview Preview/0.5": "teams",  # opengraphplus.com/consumers/teams
    "Viber": "viber",  # https://github.com/monperrus/crawler-user-agents/pull/275
    "LinkedInBot/1.0 (compatible; Mozilla/5.0; Apache-HttpClient +http://www.linkedin.com)": "linkedin",  # crawler-u-a
    "Twitterbot/1.0": "x",  # https://github.com/bluesky-social/atproto/issues/1425
    "facebookexternalhit/1.1": "facebook",  # developers.facebook.com/docs/sharing/webmasters/web-crawlers
    "http.rb/5.1.1 (Mastodon/4.2.0; +https://mastodon.example/)": "mastodon",  # docs.joinmastodon.org, every server's
    "Mozilla/5.0 (compatible; redditbot/1.0; +http://www.reddit.com/feedback)": "reddit",  # the address in it
    "Mozilla/5.0 (compatible; Pinterestbot/1.0; +http://www.pinterest.com/bot.html)": "pinterest",  # the address in it
    "Synapse (bot; +https://github.com/matrix-org/synapse)": "synapse",  # the address in it
}
PREVIEWERS = SEEN | FROM_THE_SENDER | {row.agent: row.app for row in list_overrides().robot if row.app}

GOOGLEBOT = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"
NO_PREVIEWS = (
    GOOGLEBOT,
    "Mozilla/5.0 (Windows NT 6.1; WOW64) AppleWebKit/534+ (KHTML, like Gecko) BingPreview/1.0b",
    "Mozilla/5.0 (compatible; AhrefsBot/7.0; +http://ahrefs.com/robot/)",
    "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)",
    "meta-externalagent/1.1",
    "curl/8.5.0",
    "",
)


async def follow(server: Server, token: str, agent: str, **headers: str) -> None:
    response = await server.http.get(f"/s/{token}", headers={"User-Agent": agent} | headers)
    assert response.status_code == 302
    assert token in response.headers["location"]


async def nobody_came(server: Server) -> bool:
    """Whether the one visit of the sharer is all that was counted, and its share is not proven."""
    return (
        await server.store.look("SELECT count(*) FROM visits") == [(1,)]
        and await server.store.look(
            "SELECT sum(visits), sum(returns), sum(self_returns), sum(same_network), sum(proven) FROM counts_hour"
        )
        == [(1, 0, 0, 0, 0)]
        and await server.store.look("SELECT count(*) FROM shares WHERE proven_at IS NOT NULL") == [(0,)]
    )


@BOTH_BACKENDS
async def test_every_preview_robot_tells_where_a_link_was_pasted(server: Server) -> None:
    token = (await server.visit())["tokens"]["copy"]
    for agent in [*PREVIEWERS, *PREVIEWERS]:
        await follow(server, token, agent)
    kept = await server.store.look("SELECT app, count(*) FROM unfurls GROUP BY app ORDER BY app")
    apps = set(PREVIEWERS.values())
    assert {app: int(count) for app, count in kept} == dict.fromkeys(apps, 1)
    assert await server.store.look("SELECT sum(unfurls) FROM counts_device") == [(len(apps),)]
    assert await nobody_came(server)


@BOTH_BACKENDS
async def test_once_per_share_app_and_hour(server: Server) -> None:
    tokens = (await server.visit())["tokens"]
    for token in (tokens["copy"], tokens["whatsapp"]):
        for agent in ("WhatsApp/2.24.18.80 A", "WhatsApp/2.23.20.0 i", IMESSAGE):
            await follow(server, token, agent)
    assert await server.store.look("SELECT count(*) FROM unfurls") == [(4,)]
    server.clock.now += ids.HOUR_MS
    await follow(server, tokens["copy"], IMESSAGE)
    assert await server.store.look("SELECT count(*) FROM unfurls") == [(5,)]
    assert await server.store.look("SELECT sum(unfurls) FROM counts_device") == [(5,)]


@BOTH_BACKENDS
async def test_many_at_one_moment_are_one(server: Server) -> None:
    token = (await server.visit())["tokens"]["copy"]
    agents = ["WhatsApp/2.24.18.80 A", "TelegramBot (like TwitterBot)"] * 12
    await asyncio.gather(*(follow(server, token, agent) for agent in agents))
    assert await server.store.look("SELECT app, count(*) FROM unfurls GROUP BY app ORDER BY app") == [
        ("telegram", 1),
        ("whatsapp", 1),
    ]
    assert await server.store.look("SELECT sum(unfurls) FROM counts_device") == [(2,)]


@BOTH_BACKENDS
async def test_other_robots_and_people_leave_no_unfurl(server: Server) -> None:
    token = (await server.visit())["tokens"]["copy"]
    for agent in NO_PREVIEWS:
        await follow(server, token, agent)
    in_whatsapp = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) WhatsApp/0.3 Safari/537.36"
    await follow(server, token, in_whatsapp)
    assert await server.store.look("SELECT count(*) FROM unfurls") == [(0,)]


@pytest.mark.parametrize("robot", FROM_THE_SENDER, ids=lambda agent: agent[-20:])
async def test_a_preview_from_the_senders_own_address_is_no_return(server: Server, robot: str) -> None:
    sender = server.browser("198.18.7.7", **{"Accept-Language": "pt-BR"})
    token = (await server.visit(sender))["tokens"]["whatsapp"]
    await server.share(token, sender)
    preview = server.browser("198.18.7.7", robot, **{"Accept-Language": "pt-BR"})
    response = await preview.get(f"/s/{token}")
    assert response.status_code == 302
    for own in (False, True):  # even one that ran the page's script
        response = await server.post("visits", preview, token=token, own=own)
        assert (response.status_code, response.headers["grapevine-dropped"]) == (202, "robot")
        assert response.json() == {"visit": None, "session": None, "tokens": {}, "returned": None}
    assert await server.store.look("SELECT app FROM unfurls") == [(FROM_THE_SENDER[robot],)]
    assert await nobody_came(server)
    friend = await server.visit(server.browser("198.18.7.8"), token=token)
    assert friend["returned"] == {
        "valid": True, "depth": 1, "self": False, "same_network": False, "channel": "whatsapp",
    }  # fmt: skip


@pytest.mark.parametrize("call", ["visits", "views", "shares", "conversions"])
async def test_a_robot_is_refused_at_every_call_and_counted(server: Server, call: str) -> None:
    answer = await server.visit()
    robots = (GOOGLEBOT, IMESSAGE, "WhatsApp/2.24.18.80 A", "")
    for agent in robots:
        response = await server.post(
            call,
            server.browser(user_agent=agent),
            session=answer["session"],
            token=answer["tokens"]["copy"],
            goal="order",
            nonce="n" * 16,
        )
        assert (response.status_code, response.headers["grapevine-dropped"]) == (202, "robot")
    for table, rows in (("visits", 1), ("shares", 0), ("conversions", 0), ("unfurls", 0)):
        assert await server.store.look(f"SELECT count(*) FROM {table}") == [(rows,)]
    assert await server.store.look("SELECT sum(views), sum(visits) FROM counts_hour") == [(1, 1)]
    assert (await server.drops()) == {"robot": len(robots)}


@BOTH_BACKENDS
async def test_a_shop_that_reports_a_conversion_with_a_key_is_no_robot(server: Server) -> None:
    answer = await server.visit()
    await server.store.api_keys.add_key(
        KeyRow(key_id="id-writer", site_id=1, name="shop", scope="write", created_at=NOON, revoked_at=None),
        hash_secret("writer"),
    )
    headers = {"Authorization": "Bearer writer", "User-Agent": "python-requests/2.32"}
    body = {"visit": answer["visit"], "goal": "order", "id": "order-1"}
    response = await server.http.post("/v1/conversions", json=body, headers=headers)
    assert response.status_code == 200, response.text
    assert await server.store.look("SELECT count(*) FROM conversions") == [(1,)]


async def test_the_page_that_a_preview_is_made_of_is_the_shared_one(server: Server) -> None:
    token = (await server.visit(url=f"{ORIGIN}/first"))["tokens"]["copy"]
    await server.share(token, url=f"{ORIGIN}/shared")
    response = await server.http.get(f"/s/{token}", headers={"User-Agent": IMESSAGE})
    assert response.headers["location"] == f"{ORIGIN}/shared#gv-{token}"
