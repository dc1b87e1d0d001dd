"""Every call of the client against the real server: the result is what the server's JSON says."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from functools import partial
from typing import Any

import msgspec
import pytest

from grapevine import client as api
from grapevine.analytics.token_resolution import Resolution, Unresolved
from grapevine.sites.api_keys import hash_secret
from grapevine.store.rows import EVERY_SITE, KeyRow
from tests.client.conftest import Caller, MakeCaller
from tests.support.in_process_server import NOON, ORIGIN, Server

pytestmark = [pytest.mark.anyio, pytest.mark.parametrize("server", ["socket"], indirect=True)]


@pytest.fixture
async def caller(server: Server, make_caller: MakeCaller) -> Caller:
    """A client with a key for everything at the site, at which some people shared."""
    return await with_key(server, make_caller, "admin")


async def with_key(server: Server, make_caller: MakeCaller, scope: str) -> Caller:
    key = KeyRow(key_id=scope, site_id=1, name=scope, scope=scope, created_at=NOON, revoked_at=None)
    await server.store.api_keys.add_key(key, hash_secret(f"secret-{scope}"))
    assert server.url is not None
    return make_caller(server.url, f"secret-{scope}")


async def people(server: Server) -> list[Any]:
    """Four people in two cascades, of whom the third buys something."""
    first = await server.visit()
    await server.share(first["tokens"]["copy"], url=f"{ORIGIN}/shared")
    friend = await server.visit(server.browser("192.0.2.2"), token=first["tokens"]["copy"], url=f"{ORIGIN}/shared")
    third = await server.visit(server.browser("192.0.2.3"), token=friend["tokens"]["whatsapp"])
    alone = await server.visit(server.browser("192.0.2.4"))
    await server.visit(server.browser("192.0.2.5"), token=alone["tokens"]["copy"])
    return [first, friend, third, alone]


DAYS = {"from": "2026-10-01", "to": "2026-12-01"}
FIRST, LAST = date(2026, 10, 1), "2026-12-01"
WEEKS = {"metric": "returns", "interval": "week"}
Read = tuple[Callable[[Any], Any], str, dict[str, str]]
READS: list[Read] = [
    (lambda client: client.stats.summary(), "stats/summary", {}),
    (lambda client: client.stats.summary(FIRST, LAST, device="desktop"), "stats/summary", DAYS | {"device": "desktop"}),
    (lambda client: client.stats.series("returns", interval="week"), "stats/series", WEEKS),
    (lambda client: client.stats.breakdown("page", limit=2), "stats/breakdown", {"by": "page", "limit": "2"}),
    (lambda client: client.stats.breakdown("depth"), "stats/breakdown", {"by": "depth"}),
    (lambda client: client.stats.rates("channel", limit=5), "stats/rates", {"by": "channel", "limit": "5"}),
    (lambda client: client.stats.direct(FIRST, LAST), "stats/direct", DAYS),
    (lambda client: client.attribution("linear", goal="order"), "attribution", {"model": "linear", "goal": "order"}),
]


def _cascades(size: int, client: Any) -> Any:
    return client.cascades.list(page_size=size)


def _order(said: dict[str, str], client: Any) -> Any:
    return client.conversions.create("order", **said)


async def test_results_are_what_the_server_says(server: Server, caller: Caller) -> None:
    first, friend, third, _ = await people(server)
    await caller(lambda client: client.conversions.create("order", visit=third["visit"], value="49.00", currency="EUR"))
    token, root = friend["tokens"]["whatsapp"], first["visit"]
    about: list[Read] = [
        (lambda client: client.tokens.get(token), f"tokens/{token}", {}),
        (lambda client: client.cascades.get(root), f"cascades/{root}", {}),
    ]
    raw = server.browser(Authorization="Bearer secret-admin")
    for do, path, params in [*READS, *about]:
        said = await raw.get(f"/v1/{path}", params=params)
        assert said.status_code == 200, said.text
        assert json.loads(msgspec.json.encode(await caller(do))) == said.json(), path
    summary = await caller(lambda client: client.stats.summary())
    assert (summary.returns, summary.conversions, summary.value) == (3, 1, {"EUR": "49.00"})
    spikes = (await raw.get("/v1/spikes")).json()["spikes"]
    assert msgspec.to_builtins(await caller(lambda client: client.spikes())) == spikes
    owed = (await raw.get("/v1/payouts", params={"fixed": "5", "currency": "EUR"})).json()["referrers"]
    assert msgspec.to_builtins(await caller(lambda client: client.payouts(fixed=5, currency="EUR"))) == owed


async def test_several_tokens_in_their_order(server: Server, caller: Caller) -> None:
    _, friend, _, alone = await people(server)
    good, other = friend["tokens"]["copy"], alone["tokens"]["copy"]
    found = await caller(lambda client: client.tokens.resolve([other, "nonsense", good]))
    assert [type(each) for each in found] == [Resolution, Unresolved, Resolution]
    assert [each.token for each in found] == [other, "nonsense", good]
    assert found[1].error == "not-a-token"


async def test_a_list_goes_through_all_pages(server: Server, caller: Caller) -> None:
    first, _, _, alone = await people(server)
    for size in (1, 2, 200):
        heads = await caller(partial(_cascades, size))
        assert [(head.root, head.size) for head in heads] == [(first["visit"], 3), (alone["visit"], 2)]
    recent = await caller(lambda client: client.cascades.list("recent", page_size=1))
    assert {head.root for head in recent} == {first["visit"], alone["visit"]}
    pages = [f"{ORIGIN}/deep/page", f"{ORIGIN}/shared"]
    rows = await caller(lambda client: client.stats.all_rows("page", page_size=1))
    assert sorted(row.key for row in rows) == pages
    assert await caller(lambda client: client.stats.all_rows("page", source="search", sort="top")) == []
    rated = await caller(lambda client: client.stats.all_rates("page", page_size=1))
    assert sorted(row.key for row in rated) == pages


async def test_exports_are_streamed_as_rows_or_as_a_file(server: Server, caller: Caller) -> None:
    await people(server)
    raw = server.browser(Authorization="Bearer secret-admin")
    lines = (await raw.get("/v1/export/visits")).text.splitlines()
    assert await caller(lambda client: client.export("visits")) == [json.loads(line) for line in lines]
    assert len(lines) == 5
    assert await caller(lambda client: client.export("shares", "2001-01-01", "2001-01-02")) == []
    csv = await raw.get("/v1/export/cascades", params={"format": "csv", "bom": "off"})
    assert b"".join(await caller(lambda client: client.export_file("cascades", "csv", bom=False))) == csv.content


async def test_a_conversion_counts_once_and_a_visit_is_erased_once(server: Server, caller: Caller) -> None:
    _, _, third, _ = await people(server)
    for value in ("49.00", "12"):
        said = {"visit": third["visit"], "id": "A-1", "value": value, "currency": "EUR"}
        await caller(partial(_order, said))
    assert (await caller(lambda client: client.stats.summary())).value == {"EUR": "49.00"}
    assert await caller(lambda client: client.visits.erase(third["visit"])) is None
    with pytest.raises(api.UnknownVisitError) as caught:
        await caller(lambda client: client.visits.erase(third["visit"]))
    assert (caught.value.status, caught.value.code) == (404, "unknown-visit")


async def test_refusals_are_exceptions(server: Server, make_caller: MakeCaller) -> None:
    reader = await with_key(server, make_caller, "read")
    assert server.url is not None
    stranger = make_caller(server.url, "no-such-key")
    cases: list[tuple[Caller, Callable[[Any], Any], type[api.ApiError], int, str]] = [
        (stranger, lambda client: client.stats.summary(), api.UnauthorizedError, 401, "unauthorized"),
        (reader, lambda client: client.visits.erase("03Gl69Cu6Or"), api.ForbiddenError, 403, "forbidden"),
        (reader, lambda client: client.tokens.get("nonsense"), api.NotATokenError, 400, "not-a-token"),
        (reader, lambda client: client.tokens.get("0" * 23), api.BadSignatureError, 422, "bad-signature"),
        (reader, lambda client: client.cascades.get("../x"), api.NotFoundError, 404, "not-found"),
        (reader, lambda client: client.cascades.get(".."), api.NotFoundError, 404, "not-found"),
        (reader, lambda client: client.export("nothing"), api.NotFoundError, 404, "not-found"),
        (reader, lambda client: client.stats.summary(source="x"), api.InvalidError, 422, "invalid"),
    ]
    for caller, do, kind, status, code in cases:
        with pytest.raises(api.ApiError) as caught:
            await caller(do)
        assert (type(caught.value), caught.value.status, caught.value.code) == (kind, status, code), caught.value
        assert caught.value.detail in str(caught.value)
        assert "secret-" not in str(caught.value)
        if kind is api.InvalidError:
            assert [error.field for error in caught.value.errors] == ["source"]
    assert not reader.pauses, "nothing of this is tried again"


async def test_the_site_is_named_for_a_key_of_several(server: Server, make_caller: MakeCaller) -> None:
    await server.add_site("site-b", "https://b.example")
    key = KeyRow(key_id="all", site_id=0, name="all", scope="read", created_at=NOON, revoked_at=None)
    await server.store.api_keys.add_key(key, hash_secret("secret-all"))
    assert server.url is not None
    await people(server)
    for site, visits in (("site-a", 5), ("site-b", 0)):
        caller = make_caller(server.url, "secret-all", site=site)
        assert (await caller(lambda client: client.stats.summary())).visits == visits
    with pytest.raises(api.InvalidError, match="`site` is needed"):
        await make_caller(server.url, "secret-all")(lambda client: client.stats.summary())


async def test_what_is_wrong_with_an_argument_is_said_before_anything_is_sent(caller: Caller) -> None:
    wrong: list[tuple[Callable[[Any], Any], str]] = [
        (lambda client: client.tokens.get(""), "token must not be empty"),
        (lambda client: client.conversions.create("order", visit="x", value="49,00"), "not '49,00'"),
        (lambda client: client.conversions.create("order", visit="x", at=datetime(2026, 11, 30)), "no time zone"),  # noqa: DTZ001
    ]
    for do, says in wrong:
        with pytest.raises(ValueError, match=says):
            await caller(do)


async def test_sites_keys_and_webhooks_are_administered(server: Server, make_caller: MakeCaller) -> None:
    key = KeyRow(key_id="all", site_id=EVERY_SITE, name="all", scope="admin", created_at=NOON, revoked_at=None)
    await server.store.api_keys.add_key(key, hash_secret("secret-all"))
    assert server.url is not None
    caller = make_caller(server.url, "secret-all", site="site-a")
    added = await caller(lambda client: client.sites.create("Shop", ["https://shop.example"]))
    site = added.site.site
    assert added.key not in repr(added)
    assert [each.site for each in await caller(lambda client: client.sites.list(page_size=1))] == ["site-a", site]
    assert (await caller(lambda client: client.sites.change(site, name="Shop 2"))).name == "Shop 2"
    assert await caller(lambda client: client.sites.get(site)) == (await caller(lambda client: client.sites.list()))[1]

    made = await caller(lambda client: client.keys.create("read", name="reports", sites=[site]))
    reports = make_caller(server.url, made.key)
    assert (await reports(lambda client: client.stats.summary())).visits == 0
    assert (await caller(lambda client: client.keys.change(made.id, name="old reports"))).name == "old reports"
    keys = await caller(lambda client: client.keys.list(site=site, page_size=1))
    assert sorted(key.scope for key in keys) == ["admin", "read"]
    await caller(lambda client: client.keys.revoke(made.id))
    assert (await caller(lambda client: client.keys.get(made.id))).revoked_at is not None
    with pytest.raises(api.UnauthorizedError):
        await reports(lambda client: client.stats.summary())

    hook = await caller(lambda client: client.webhooks.create("https://hooks.example/x", ["spike.detected"]))
    assert hook.secret.startswith("whsec_")
    assert not (await caller(lambda client: client.webhooks.change(hook.id, enabled=False))).enabled
    assert [each.id for each in await caller(lambda client: client.webhooks.list())] == [hook.id]
    assert await caller(lambda client: client.webhooks.deliveries(hook.id)) == []
    with pytest.raises(api.ApiError):
        await caller(lambda client: client.webhooks.retry(hook.id, "msg_none"))
    with pytest.raises(api.ConflictError, match="enable it first"):
        await caller(lambda client: client.webhooks.resend(hook.id, datetime(2026, 1, 1, tzinfo=UTC)))
    assert (await caller(lambda client: client.webhooks.change(hook.id, enabled=True))).paused is None
    assert (await caller(lambda client: client.webhooks.resend(hook.id, datetime(2026, 1, 1, tzinfo=UTC)))).resent == 0
    await caller(lambda client: client.webhooks.delete(hook.id))
    with pytest.raises(api.NotFoundError):
        await caller(lambda client: client.webhooks.get(hook.id))

    with pytest.raises(api.ConflictError):
        await caller(lambda client: client.sites.delete(site, confirm="Shop"))
    assert (await caller(lambda client: client.sites.delete(site, confirm="Shop 2"))).site == site
    with pytest.raises(api.UnknownSiteError):
        await caller(lambda client: client.sites.get(site))
