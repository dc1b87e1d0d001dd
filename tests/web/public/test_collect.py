"""The collect API: every status, header, limit and problem code of the contract."""

from __future__ import annotations

import json
import secrets
from typing import Any

import pytest

from grapevine.domain import ids
from grapevine.domain.channels import CODES, USUAL
from grapevine.store import sql_loader
from grapevine.writer.queue import FairQueue
from tests.support.in_process_server import BOTH_BACKENDS, NOON, ORIGIN, Server
from tests.support.user_agents import CHROME

pytestmark = pytest.mark.anyio

NONCE = "n" * 16
INSTAGRAM = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605 Mobile/15E148 Instagram 320.0.0"
KAKAOTALK = "Mozilla/5.0 (Linux; Android 13) AppleWebKit/537.36 Chrome/116 Mobile Safari/537.36;KAKAOTALK 2410260"
VISIT = {"site": "site-a", "url": f"{ORIGIN}/deep", "nonce": NONCE, "channels": ["copy"]}


async def test_a_visit_gets_its_tokens(server: Server) -> None:
    answer = await server.visit(channels=list(CODES))
    assert set(answer) == {"visit", "session", "tokens", "returned", "joint", "source"}
    assert len(answer["visit"]) == 11
    assert list(answer["tokens"]) == list(CODES)
    tokens = [answer["session"], *answer["tokens"].values()]
    assert all(len(token) == 23 and token.isalnum() and token.isascii() for token in tokens)
    assert len(set(tokens)) == len(CODES) + 1
    assert answer["returned"] is None


@pytest.mark.parametrize(
    ("channels", "given"),
    [
        (["copy", "x", "copy"], ["copy", "x"]),
        ("native copy, x copy", ["native", "copy", "x"]),
        ([], []),
        ("", list(USUAL)),
        ("copy pigeon", ["copy"]),
        ("pigeon", list(USUAL)),
        (None, list(USUAL)),
    ],
)
async def test_channels_are_a_list_or_a_text_or_the_usual_ones(
    server: Server, channels: list[str] | str | None, given: list[str]
) -> None:
    visit = {name: value for name, value in VISIT.items() if name != "channels"}
    asked = visit if channels is None else visit | {"channels": channels}
    answer = (await server.http.post("/v1/visits", content=json.dumps(asked), headers={"Origin": ORIGIN})).json()
    assert list(answer["tokens"]) == given


async def test_a_chain_of_three(server: Server) -> None:
    first = await server.visit()
    friend = await server.visit(server.browser("192.0.2.2"), token=first["tokens"]["copy"])
    third = await server.visit(server.browser("192.0.2.3"), token=friend["tokens"]["whatsapp"])
    expected = {"valid": True, "depth": 1, "self": False, "same_network": False}
    assert friend["returned"] == expected | {"channel": "copy"}
    assert third["returned"] == expected | {"depth": 2, "channel": "whatsapp"}


async def test_every_answer_is_open_to_every_origin_without_credentials(server: Server) -> None:
    for response in (
        await server.post("visits"),
        await server.post("visits", site="nobody"),
        await server.http.post("/v1/visits", content=b"{"),
        await server.http.options("/v1/shares"),
    ):
        assert response.headers["access-control-allow-origin"] == "*"
        assert "access-control-allow-credentials" not in response.headers
        assert response.headers["access-control-expose-headers"] == "Grapevine-Dropped, Retry-After"


async def test_a_preflight_is_answered(server: Server) -> None:
    response = await server.http.options("/v1/visits", headers={"Access-Control-Request-Method": "POST"})
    assert response.status_code == 204
    assert response.headers["access-control-allow-headers"] == "Content-Type"


@pytest.mark.parametrize("kind", ["text/plain;charset=UTF-8", "application/json", None])
async def test_json_is_taken_as_text_too(server: Server, kind: str | None) -> None:
    headers = {"content-type": kind} if kind else {}
    response = await server.http.post("/v1/visits", content=json.dumps(VISIT), headers=headers)
    assert response.status_code == 200


BAD_BODIES: list[tuple[str, bytes | dict[str, Any], int, str, str | None]] = [
    ("empty", b"", 400, "malformed", None),
    ("cut off", b'{"site":', 400, "malformed", None),
    ("an array", b"[]", 400, "malformed", None),
    ("a number", b"1", 400, "malformed", None),
    ("not UTF-8", b'{"site":"\xff"}', 400, "malformed", None),
    ("nested deeply", b'{"site":"site-a","x":' + b"[" * 4000, 400, "malformed", None),
    ("too large", b'{"site":"' + b"x" * 8192 + b'"}', 413, "too-large", None),
    ("no site", {"site": None}, 422, "invalid", "site"),
    ("unknown site", {"site": "nobody"}, 404, "unknown-site", None),
    ("foreign URL", {"url": "https://b.example/"}, 422, "invalid", "url"),
    ("URL of a foreign port", {"url": f"{ORIGIN}:8443/"}, 422, "invalid", "url"),
    ("URL of another scheme", {"url": "javascript:alert(1)"}, 422, "invalid", "url"),
    ("URL with user info", {"url": "https://me@a.example/"}, 422, "invalid", "url"),
    ("long URL", {"url": f"{ORIGIN}/{'x' * 2048}"}, 422, "invalid", "url"),
    ("URL with a line break", {"url": f"{ORIGIN}/a\nb"}, 422, "invalid", "url"),
    ("URL with a bad port", {"url": "https://a.example:99999/"}, 422, "invalid", "url"),
    ("NUL in a referrer", {"referrer": "a\0b"}, 422, "invalid", "referrer"),
    ("NUL in a referrer and a title", {"referrer": "a\0b", "title": "a\0b"}, 422, "invalid", "referrer"),
    ("half a surrogate pair", b'{"site":"site-a","url":"\\ud800","nonce":"n"}', 422, "invalid", ""),
    ("two halves", b'{"site":"site-a","url":"\\ud800","nonce":"n","title":"\\ud800"}', 422, "invalid", ""),
    ("half a pair and a number that is none", b'{"site":"site-a","n":NaN,"title":"\\ud800"}', 400, "malformed", None),
    ("short nonce", {"nonce": "n" * 15}, 422, "invalid", "nonce"),
    ("long nonce", {"nonce": "n" * 65}, 422, "invalid", "nonce"),
    ("nonce with a space", {"nonce": "n" * 16 + " "}, 422, "invalid", "nonce"),
    ("no date", {"day": "yesterday"}, 422, "invalid", "day"),
    ("unknown channel", {"channels": ["pigeon"]}, 422, "invalid", "channels"),
    ("channels no list", {"channels": 7}, 422, "invalid", "channels"),
    ("own no boolean", {"own": "yes"}, 422, "invalid", "own"),
]


@pytest.mark.parametrize(
    ("body", "status", "code", "field"), [row[1:] for row in BAD_BODIES], ids=[r[0] for r in BAD_BODIES]
)
async def test_each_bad_body_gets_its_code_and_changes_nothing(
    server: Server, body: bytes | dict[str, Any], status: int, code: str, field: str | None
) -> None:
    content = body if isinstance(body, bytes) else json.dumps(VISIT | body).encode()
    response = await server.http.post("/v1/visits", content=content)
    problem = response.json()
    assert response.headers["content-type"] == "application/problem+json"
    assert (response.status_code, problem["status"], problem["code"]) == (status, status, code), problem
    assert {"type", "title", "detail"} < set(problem)
    assert response.headers["grapevine-dropped"] == code
    assert ("errors" in problem) == (status == 422)
    if field is not None:
        assert [error["field"] for error in problem["errors"]] == [field]
    assert await server.store.look("SELECT * FROM visits") == []
    assert (await server.drops())[code] == 1


async def test_all_wrong_fields_are_named_at_once(server: Server) -> None:
    response = await server.post("visits", url="nowhere", nonce="short", day="x", channels=["pigeon"])
    assert [error["field"] for error in response.json()["errors"]] == ["url", "nonce", "day", "channels"]


async def test_unknown_fields_are_ignored(server: Server) -> None:
    assert (await server.post("visits", colour="green")).status_code == 200


@pytest.mark.parametrize("origin", ["https://b.example", "null", "", "http://a.example", "https://a.example:444"])
@pytest.mark.parametrize("call", ["visits", "views", "shares"])
async def test_a_foreign_origin_is_refused(server: Server, call: str, origin: str) -> None:
    answer = await server.visit()
    client = server.browser(Origin=origin)
    response = await server.post(call, client, session=answer["session"], token=answer["tokens"]["copy"])
    assert (response.status_code, response.json()["code"]) == (403, "bad-origin")


async def test_a_missing_origin_is_foreign(server: Server) -> None:
    client = server.browser()
    del client.headers["Origin"]
    response = await server.post("visits", client)
    assert (response.status_code, response.json()["code"]) == (403, "bad-origin")


async def test_a_form_is_not_read(server: Server) -> None:
    response = await server.http.post("/v1/visits", data={"site": "site-a"})
    assert (response.status_code, response.json()["code"]) == (400, "malformed")


@BOTH_BACKENDS
async def test_robots_that_name_themselves_are_counted_and_not_stored(server: Server) -> None:
    client = server.browser(user_agent="Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)")
    answer = await server.visit()
    for call in ("visits", "views", "shares"):
        response = await server.post(call, client, session=answer["session"], token=answer["tokens"]["copy"])
        assert (response.status_code, response.headers["grapevine-dropped"]) == (202, "robot")
    assert await server.store.look("SELECT count(*) FROM visits") == [(1,)]
    assert (await server.drops())["robot"] == 3


@pytest.mark.parametrize("header", ["Sec-GPC", "DNT"])
async def test_an_opted_out_visit_is_counted_without_a_trace(server: Server, header: str) -> None:
    client = server.browser(**{header: "1"})
    sharer = await server.visit()
    for _ in range(2):  # a repeat is no second visit
        response = await server.post("visits", client, nonce=NONCE, token=sharer["tokens"]["copy"])
        assert (response.status_code, response.headers["grapevine-dropped"]) == (202, "opted-out")
        assert response.json() == {"visit": None, "session": None, "tokens": {}, "returned": None}
    assert await server.store.look("SELECT count(*) FROM visits") == [(1,)]
    assert await server.store.look("SELECT sum(unlinked), sum(visits), sum(returns) FROM counts_hour") == [(1, 1, 0)]
    for call in ("views", "shares"):
        response = await server.post(call, client, session=sharer["session"], token=sharer["tokens"]["copy"])
        assert (response.status_code, response.headers["grapevine-dropped"]) == (202, "opted-out")
    assert await server.store.look("SELECT count(*) FROM shares") == [(0,)]


@BOTH_BACKENDS
async def test_the_page_may_report_an_opt_out(server: Server) -> None:
    response = await server.post("visits", opted_out=True)
    assert (response.status_code, response.headers["grapevine-dropped"]) == (202, "opted-out")
    assert await server.store.look("SELECT count(*) FROM visits") == [(0,)]


async def test_a_repeat_is_answered_as_before_and_counted(server: Server) -> None:
    sharer = await server.visit()
    fields: dict[str, Any] = {"nonce": NONCE, "token": sharer["tokens"]["copy"], "day": str(ids.day_date(2500))}
    first, again = [await server.post("visits", **fields) for _ in range(2)]
    server.clock.now += 13 * ids.HOUR_MS  # after midnight, the day of the nonce still finds its visit
    late = await server.post("visits", **fields)
    assert first.json() == again.json() == late.json()
    assert (first.status_code, again.status_code) == (200, 200)
    assert "grapevine-dropped" not in first.headers
    assert again.headers["grapevine-dropped"] == "duplicate"
    assert (await server.drops())["duplicate"] == 2


@pytest.mark.parametrize(("day", "kept"), [(-1, True), (1, True), (-2, False), (30, False)])
async def test_the_day_is_used_when_it_is_believable(server: Server, day: int, kept: bool) -> None:
    answer = await server.visit(day=str(ids.day_date(2500 + day)))
    number = ids.visit_number(answer["visit"])
    assert number is not None
    assert ids.day_of(number) == (2500 + day if kept else 2500)


async def test_bad_tokens_never_cost_a_visit(server: Server) -> None:
    await server.add_site("site-b", "https://b.example")
    other = await server.visit(server.browser(Origin="https://b.example"), site="site-b", url="https://b.example/")
    mine = await server.visit()
    good = mine["tokens"]["copy"]
    lost = (await server.state.sites.all())[0].tokens.mint(ids.pack(2400, 1, 1), [0])[0]
    for token, reason in (
        ("short", "not-a-token"),
        ("-" * 23, "not-a-token"),
        (good[:-1] + ("0" if good[-1] != "0" else "1"), "bad-signature"),
        ("z" * 23, "bad-signature"),
        (other["tokens"]["copy"], "unknown-site-token"),
        (lost, "unknown-visit"),
        (mine["session"], "session"),
    ):
        answer = await server.visit(token=token)
        assert answer["returned"] == {
            "valid": False,
            "depth": 0,
            "self": False,
            "same_network": False,
            "reason": reason,
        }
        assert answer["tokens"]["copy"]


async def test_self_returns_and_colleagues(server: Server) -> None:
    mine = await server.visit()
    token = mine["tokens"]["copy"]
    own = await server.visit(token=token, own=True)
    assert own["returned"] == {"valid": True, "depth": 0, "self": True, "same_network": True, "channel": "copy"}
    colleague = await server.visit(token=token)
    assert colleague["returned"] == {"valid": True, "depth": 1, "self": False, "same_network": True, "channel": "copy"}
    stranger = await server.visit(server.browser("192.0.2.9"), token=token)
    assert stranger["returned"]["same_network"] is False
    assert [visit["source"] for visit in (mine, own, stranger)] == ["direct-deep", "share", "share"]


async def test_the_next_morning_the_network_is_still_known(server: Server) -> None:
    mine = await server.visit()
    server.clock.now += ids.DAY_MS
    assert (await server.visit(token=mine["tokens"]["copy"]))["returned"]["same_network"] is True
    server.clock.now += ids.DAY_MS
    assert (await server.visit(token=mine["tokens"]["copy"]))["returned"]["same_network"] is False


@BOTH_BACKENDS
async def test_a_share_gets_the_next_token(server: Server) -> None:
    token = (await server.visit())["tokens"]["copy"]
    seen = [token]
    for _ in range(9):
        response = await server.share(seen[-1])
        assert response.status_code == 200
        seen.append(response.json()["next"])
    assert len(set(seen)) == 8  # the eighth and all later ones
    assert await server.store.look("SELECT count(*) FROM shares") == [(8,)]


@pytest.mark.parametrize(
    ("call", "field", "value"),
    [("views", "session", "copy"), ("views", "session", "x"), ("shares", "token", "session"), ("shares", "token", "x")],
)
async def test_sessions_and_tokens_are_never_confused(server: Server, call: str, field: str, value: str) -> None:
    answer = await server.visit()
    text = {"copy": answer["tokens"]["copy"], "session": answer["session"]}.get(value, value)
    response = await server.post(call, **{field: text})
    assert (response.status_code, response.json()["code"]) == (422, "invalid")
    assert response.json()["errors"][0]["field"] == field


async def test_a_visit_that_is_not_there_cannot_go_on(server: Server) -> None:
    site = (await server.state.sites.all())[0]
    gone = ids.pack(2400, 1, 1)
    view = await server.post("views", session=site.tokens.session(gone))
    share = await server.share(site.tokens.mint(gone, [0])[0])
    assert (view.status_code, share.status_code) == (422, 422)


@BOTH_BACKENDS
async def test_views_are_counted_once(server: Server) -> None:
    answer = await server.visit()
    for _ in range(3):
        response = await server.post("views", session=answer["session"], nonce=NONCE)
        assert (response.status_code, response.json()) == (200, {})
    assert await server.store.look("SELECT views FROM visits") == [(2,)]


async def test_a_full_queue_says_when_to_come_back(server: Server) -> None:
    server.state.writer.waiting = FairQueue(0, 0)
    response = await server.post("visits")
    assert (response.status_code, response.json()["code"]) == (503, "busy")
    assert int(response.headers["retry-after"]) > 0
    server.state.writer.waiting = FairQueue(10, 10_000)
    assert (await server.drops())["busy"] == 1


@BOTH_BACKENDS
async def test_no_personal_data_is_stored(server: Server) -> None:
    await server.visit(server.browser("198.51.100.77"), title="Hello")
    text = "".join([str(await server.store.look(f"SELECT * FROM {name}")) for name in sorted(sql_loader.table_names())])
    assert "Hello" in text
    assert "198.51.100" not in text
    assert CHROME[:20] not in text
    assert "Chrome/140" not in text


@pytest.mark.parametrize(
    ("fields", "agent", "source", "app"),
    [
        ({"url": f"{ORIGIN}/"}, CHROME, "direct-home", None),
        ({}, CHROME, "direct-deep", None),
        ({"referrer": "https://www.google.com/"}, CHROME, "search", None),
        ({"referrer": "https://t.co/x"}, CHROME, "social", None),
        ({"referrer": "https://bsky.app/profile/x"}, CHROME, "social", None),
        ({"referrer": "https://mail.google.com/"}, CHROME, "email", None),
        ({"referrer": "https://app.slack.com/"}, CHROME, "messenger", "slack"),
        ({"referrer": "android-app://org.telegram.messenger/"}, CHROME, "messenger", "telegram"),
        ({"referrer": "android-app://com.unheard.of/"}, CHROME, "referral", "com.unheard.of"),
        ({"referrer": "https://blog.example/post"}, CHROME, "referral", None),
        ({"referrer": f"{ORIGIN}/other"}, CHROME, "internal", None),
        ({"referrer": "nonsense"}, CHROME, "direct-deep", None),
        ({"url": f"{ORIGIN}/deep?utm_source=news", "referrer": "https://www.google.com/"}, CHROME, "campaign", None),
        ({}, INSTAGRAM, "social", "instagram"),
        ({}, KAKAOTALK, "messenger", "kakaotalk"),
    ],
)
async def test_sources(server: Server, fields: dict[str, str], agent: str, source: str, app: str | None) -> None:
    from grapevine.domain.enums import SOURCE_NAMES

    await server.visit(server.browser(user_agent=agent), **fields)
    ((code, stored),) = await server.store.look("SELECT source, app FROM visits")
    assert (SOURCE_NAMES[code], stored) == (source, app)


@BOTH_BACKENDS
async def test_tracking_names_do_not_make_pages(server: Server) -> None:
    for query in (
        "",
        "?utm_source=a",
        "?fbclid=1&gv=x",
        "?id=1",
        "?gclid=2&id=1&UTM_medium=b",
        "?%5fgl=1&id=1&mkt_tok=2",
    ):
        await server.visit(url=f"{ORIGIN}/p{query}")
    assert await server.store.look("SELECT url FROM pages ORDER BY url") == [(f"{ORIGIN}/p",), (f"{ORIGIN}/p?id=1",)]


async def test_a_mailing_that_marks_each_reader_is_one_page(server: Server) -> None:
    names = ("mkt_tok", "vero_id", "mc_eid", "_hsenc", "__hstc", "ck_subscriber_id", "s_kwcid", "_gl", "igsh", "si")
    for number in range(30):
        query = "&".join(f"{name}={secrets.token_hex(9)}" for name in (names[number % len(names)], "utm_content"))
        await server.visit(url=f"{ORIGIN}/offer?{query}&coupon=MAY")
    assert await server.store.look("SELECT url FROM pages") == [(f"{ORIGIN}/offer?coupon=MAY",)]


@BOTH_BACKENDS
async def test_the_time_of_a_visit_is_the_servers(server: Server) -> None:
    await server.visit()
    ((at,),) = await server.store.look("SELECT at FROM visits")
    assert at == server.clock.now >= NOON
