"""``GET /metrics``: who may read it, both formats, and that the numbers are those of what happened."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from functools import partial
from time import thread_time
from typing import Any

import httpx
import msgspec
import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as open_metrics
from prometheus_client.parser import text_string_to_metric_families as text_format
from prometheus_client.samples import Sample

from grapevine.config.settings import Settings
from grapevine.domain.ids import DAY_MS
from grapevine.errors import StoreError
from grapevine.store.repositories.webhooks import Event, WebhookRow
from tests.support.in_process_server import BOTH_BACKENDS, NOON, ORIGIN, Server, serving
from tests.web.dashboard.dashboard_browser import SLACKBOT, add_key

pytestmark = pytest.mark.anyio

LONGEST_SCRAPE_SECONDS = 0.05
READER = {"Authorization": "Bearer gv_reader"}


@asynccontextmanager
async def read_by(readers: str, database: str, **settings: Any) -> AsyncIterator[Server]:
    """A server with one site and that setting."""
    made = Settings(database=database, secret_keys=(b"k" * 32,), metrics=readers, **{"rate_limit": 0} | settings)
    async with serving(made) as server:
        await server.add_site("site-a", ORIGIN)
        await add_key(server, "gv_reader")
        yield server


async def read(server: Server) -> dict[str, float]:
    """Every sample by its name and labels, such as ``grapevine_events_dropped_total{reason=robot}``."""
    answer = await server.http.get("/metrics", headers=READER)
    assert answer.status_code == 200, answer.text
    return {named(sample): sample.value for family in text_format(answer.text) for sample in family.samples}


def named(sample: Sample) -> str:
    """A sample's name, and its labels in the order in which they are written."""
    labels = ",".join(f"{name}={value}" for name, value in sample.labels.items())
    return f"{sample.name}{{{labels}}}" if labels else sample.name


def grown(before: Mapping[str, float], after: Mapping[str, float], prefix: str) -> dict[str, float]:
    """What grew of the samples that begin so, by their labels."""
    return {
        name.removeprefix(prefix): after[name] - before[name]
        for name in after
        if name.startswith(prefix) and after[name] != before[name]
    }


@BOTH_BACKENDS
async def test_events_are_counted_by_call_and_drops_by_reason(server: Server) -> None:
    await add_key(server, "gv_reader")
    before = await read(server)
    first = await server.visit(nonce="n" * 16)
    await server.visit(nonce="n" * 16)
    token, session = first["tokens"]["copy"], first["session"]
    await server.post("views", session=session)
    await server.post("shares", session=session, token=token)
    await server.post("conversions", session=session, goal="order", nonce="o" * 16)
    await server.post("answers", session=session, text="a friend", nonce="a" * 16)
    await server.http.get(f"/s/{token}", headers={"User-Agent": SLACKBOT})
    await server.post("visits", server.browser(user_agent="Googlebot/2.1"))
    await server.post("visits", server.browser(DNT="1"))
    await server.post("visits", server.browser(Origin="https://other.example"))
    await server.post("visits", site="nobody")
    await server.post("visits", url="not-an-address")
    await server.http.post("/v1/visits", content="{")
    await server.http.post("/v1/visits", content="x" * 9_000)
    after = await read(server)
    assert grown(before, after, "grapevine_events_accepted_total") == {
        f"{{call={call}}}": 1 for call in ("visits", "views", "shares", "conversions", "answers", "unfurls")
    }
    assert grown(before, after, "grapevine_events_dropped_total") == {
        f"{{reason={reason}}}": 1
        for reason in (
            "duplicate", "robot", "opted-out", "bad-origin", "unknown-site", "invalid", "malformed", "too-large",
        )
    }  # fmt: skip
    stored = grown(before, after, "grapevine_batch_events")
    assert stored["_sum"] == 8  # the repeat and the visit that asks not to be followed are events, too
    assert after["grapevine_commit_seconds_sum"] > 0
    assert after["grapevine_queue_events"] == 0
    assert after["grapevine_queue_events_limit"] == 20_000


async def test_requests_are_counted_by_class_of_route_and_not_by_path(server: Server) -> None:
    await add_key(server, "gv_reader")
    before = await read(server)
    pages = ("/widget.js", "/s/x", "/about/x", "/", "/static/x")
    for path in ("/healthz", "/readyz", "/nowhere", "/also/nowhere", *pages):
        await server.http.get(path)
    await server.visit()
    await server.http.get("/v1/stats/summary", headers=READER)
    await server.http.get("/v1/export/visits?format=csv", headers=READER)
    await server.http.get("/v1/counts?site=site-a&url=https://a.example/")
    after = await read(server)
    answers = grown(before, after, "grapevine_http_responses_total")
    assert answers == {
        "{route=health,status=2xx}": 2, "{route=other,status=4xx}": 2, "{route=widget,status=2xx}": 1,
        "{route=short-link,status=4xx}": 1, "{route=about,status=4xx}": 1, "{route=dashboard,status=3xx}": 1,
        "{route=dashboard,status=4xx}": 1, "{route=visits,status=2xx}": 1, "{route=api,status=2xx}": 1,
        "{route=export,status=2xx}": 1, "{route=counts,status=2xx}": 1, "{route=metrics,status=2xx}": 1,
    }  # fmt: skip
    timed = grown(before, after, "grapevine_http_request_seconds_count")
    assert sum(timed.values()) == sum(answers.values())
    assert grown(before, after, "grapevine_http_request_seconds_bucket{le=+Inf,route=visits}") == {"": 1}


async def test_both_formats_are_what_their_parsers_read(server: Server) -> None:
    await add_key(server, "gv_reader")
    await server.visit()
    plain = await server.http.get("/metrics", headers=READER)
    assert plain.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    accept = "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.3"
    opened = await server.http.get("/metrics", headers=READER | {"Accept": accept})
    assert opened.headers["content-type"].startswith("application/openmetrics-text; version=1.0.0; charset=utf-8")
    assert opened.text.endswith("# EOF\n")
    names = {family.name for family in text_format(plain.text)}
    assert names == {family.name for family in open_metrics(opened.text)}  # type: ignore[no-untyped-call]
    for answer in (plain, opened):
        assert answer.headers["cache-control"] == "no-store"
        assert len(answer.content) < 100_000
        assert "site-a" not in answer.text
        assert "a.example" not in answer.text
        assert "192.0.2.1" not in answer.text


async def test_a_scrape_takes_little_of_the_event_loop(server: Server) -> None:
    """Processor time of this thread, on which the server runs: other work of the machine is not in it."""
    await add_key(server, "gv_reader")
    state = server.state
    for tally in state.telemetry.requests.values():
        for _ in range(1_000):
            tally.note(200, 0.123456789)
    state.collect_api.drops.totals.update(dict.fromkeys(state.collect_api.drops.totals, 2**52))
    spent = []
    for _ in range(5):
        before = thread_time()
        answer = await server.http.get("/metrics", headers=READER)  # the client is in it, too
        spent.append(thread_time() - before)
        assert answer.status_code == 200
    assert min(spent) < LONGEST_SCRAPE_SECONDS, spent


async def test_buckets_add_up(server: Server) -> None:
    await add_key(server, "gv_reader")
    for _ in range(3):
        await server.visit()
    found = await read(server)
    for name, value in found.items():
        if name.endswith("_count") or "_count{" in name:
            labels = re.search(r"{(.*)}", name)
            inside = f"le=+Inf,{labels[1]}" if labels else "le=+Inf"
            bucket = f"{name.partition('_count')[0]}_bucket{{{inside}}}"
            other = f"{name.partition('_count')[0]}_bucket{{{labels[1] if labels else ''},le=+Inf}}"
            assert found.get(bucket, found.get(other)) == value, name


@pytest.mark.parametrize(
    ("readers", "headers", "address", "status"),
    [
        ("off", READER, "127.0.0.1", 404),
        ("local", {}, "127.0.0.1", 200),
        ("local", {}, "127.8.8.8", 200),
        ("local", {}, "::1", 200),
        ("local", {}, "192.0.2.1", 403),
        ("local", READER, "192.0.2.1", 403),
        ("local", {}, "", 403),
        ("local", {}, "localhost", 403),
        ("local", {"X-Forwarded-For": "192.0.2.1"}, "127.0.0.1", 403),
        ("local", {"X-Forwarded-For": "127.0.0.1"}, "127.0.0.1", 403),
        ("local", {"Forwarded": "for=127.0.0.1"}, "127.0.0.1", 403),
        ("local", {"X-Real-IP": "127.0.0.1"}, "127.0.0.1", 403),
        ("local", {"Via": "1.1 proxy"}, "127.0.0.1", 403),
        ("local", {"X-Forwarded-For": "127.0.0.1"}, "192.0.2.1", 403),
        ("key", {}, "127.0.0.1", 401),
        ("key", {"Authorization": "Bearer gv_wrong"}, "127.0.0.1", 401),
        ("key", READER, "192.0.2.1", 200),
        ("open", {}, "192.0.2.1", 200),
    ],
)
async def test_who_may_read(database: str, readers: str, headers: dict[str, str], address: str, status: int) -> None:
    async with read_by(readers, database) as server:
        answer = await server.browser(address).get("/metrics", headers=headers)
        assert answer.status_code == status
        assert ("grapevine_" in answer.text) is (status == 200)
        if status != 200:
            assert answer.headers["content-type"] == "application/problem+json"
        if status == 401:
            assert answer.json()["detail"].endswith("The setting GRAPEVINE_METRICS says who may read these figures.")
            assert answer.headers["www-authenticate"] == "Bearer"
        if status == 404:
            nowhere = await server.browser(address).get("/nowhere", headers=headers)
            assert (answer.content, dict(answer.headers)) == (nowhere.content, dict(nowhere.headers))


async def test_behind_a_trusted_proxy_the_clients_address_counts(database: str) -> None:
    async with read_by("local", database, trusted_proxies=("127.0.0.1",)) as server:
        assert (await server.browser("192.0.2.1").get("/metrics")).status_code == 403
        assert (await server.browser("127.0.0.1").get("/metrics")).status_code == 403  # not directly
        async with httpx.AsyncClient(base_url=server.url or "", trust_env=False) as direct:
            assert (await direct.get("/metrics")).status_code == 200
        await server.hang_up()


async def test_a_key_of_one_site_of_several_reads_nothing_of_the_others(database: str) -> None:
    async with read_by("key", database) as server:
        assert (await server.http.get("/metrics", headers=READER)).status_code == 200
        await server.add_site("site-b", "https://b.example")
        refused = await server.http.get("/metrics", headers=READER)
        assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")
        assert refused.json()["detail"].endswith("grapevine key add --every-site --scope read")
        await add_key(server, "gv_every_site", 0)
        all_sites = await server.http.get("/metrics", headers={"Authorization": "Bearer gv_every_site"})
        assert all_sites.status_code == 200


async def test_an_open_server_bounds_how_often_it_is_asked(database: str) -> None:
    async with read_by("open", database, rate_limit=3) as server:
        statuses = [(await server.http.get("/metrics")).status_code for _ in range(4)]
        assert statuses == [200, 200, 200, 429]
        assert "rate-network" in (await server.browser("192.0.2.7").get("/metrics")).text


async def test_bounds_that_are_hit_are_counted(database: str) -> None:
    async with read_by("key", database, rate_limit=2) as server:
        before = await read(server)
        for _ in range(4):
            await server.post("visits")
        for _ in range(3):
            await server.http.get("/v1/counts?site=site-a&url=https://a.example/")
        for number in range(12):
            await server.http.get("/metrics", headers={"Authorization": f"Bearer gv_{number}"})
        after = await read(server)
        hits = grown(before, after, "grapevine_bound_hits_total")
        assert hits == {"{bound=rate-site-network}": 2, "{bound=rate-network}": 1, "{bound=rate-sign-ins}": 2}
        assert grown(before, after, "grapevine_events_dropped_total") == {"{reason=rate-limited}": 2}


@BOTH_BACKENDS
async def test_deliveries_that_wait_are_counted(server: Server) -> None:
    await add_key(server, "gv_reader")
    await server.store.webhooks.add(WebhookRow("hook", 1, "https://hooks.example/", "", "share.proven", NOON))
    assert (await read(server))["grapevine_webhook_deliveries_waiting"] == 0
    later = Event(site_id=1, name="share.proven", payload="{}", at=NOON + DAY_MS)  # so that none is sent meanwhile
    await server.store.webhooks.publish(later, lambda: "delivery")
    found = await read(server)
    assert (found["grapevine_webhook_deliveries_waiting"], found["grapevine_webhook_endpoints_paused"]) == (1, 0)
    for disabled, paused in ((None, 1), (NOON, 0)):
        change = partial(msgspec.structs.replace, paused_at=NOON, paused_until=NOON, disabled_at=disabled)
        await server.store.webhooks.change(1, "hook", change)
        assert (await read(server))["grapevine_webhook_endpoints_paused"] == paused


async def test_a_store_that_takes_no_writes_is_said_and_the_rest_is_there(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    await add_key(server, "gv_reader")
    assert (await read(server))["grapevine_ready"] == 1
    hanging = asyncio.Event()

    async def hangs() -> bool:
        await hanging.wait()
        return True

    async def away(_limit: int) -> int:
        raise StoreError("away")

    server.clock.now += 2_000
    monkeypatch.setattr(server.state.readiness, "_writable", hangs)
    monkeypatch.setattr(server.state.store.webhooks, "waiting", away)
    found = await read(server)
    assert found["grapevine_ready"] == 0
    assert "grapevine_webhook_deliveries_waiting" not in found
    assert "grapevine_webhook_endpoints_paused" not in found
    assert found["grapevine_workers"] == 1
    hanging.set()
    for _ in range(100):  # the answer that was awaited in the background
        await asyncio.sleep(0)
    server.clock.now += 2_000
    assert (await read(server))["grapevine_ready"] == 1


async def test_errors_of_the_store_are_counted_by_what_needed_it(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    await add_key(server, "gv_reader")
    before = await read(server)

    async def away(*_: object, **__: object) -> list[object]:
        raise StoreError("away")

    with monkeypatch.context() as patch:
        patch.setattr(server.state.store.quick.shares, "followed_link", away)
        token = (await server.visit())["tokens"]["copy"]
        assert (await server.http.get(f"/s/{token}")).status_code == 503
        patch.setattr(server.state.writer.recorder, "record_in", away)
        assert (await server.post("visits")).status_code == 503
    after = await read(server)
    assert grown(before, after, "grapevine_store_errors_total") == {"{by=requests}": 1, "{by=batches}": 1}


async def test_the_setting_is_one_of_four() -> None:
    assert msgspec.structs.asdict(Settings(database="sqlite:///x"))["metrics"] == "key"
