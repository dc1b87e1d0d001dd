"""Every answer has its security headers, whatever route, method or error; the ``Host`` of a request decides nothing."""

from __future__ import annotations

import re
from pathlib import Path

import httpx
import pytest
import segno
from starlette.routing import BaseRoute, Mount, Route

from grapevine.config.settings import Settings
from grapevine.errors import StoreError
from grapevine.web.answer_headers import is_usable_host
from grapevine.web.routes import routes
from tests.support.in_process_server import Server, serving

pytestmark = pytest.mark.anyio

EVIL = "evil.example"
SAMPLES = {"rest": ".js", "name": "mark.svg", "table": "visits"}
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


def paths(found: list[BaseRoute], before: str = "") -> list[str]:
    """The path of every route, with a sample for each parameter, and the same with a slash behind it."""
    all_paths = []
    for route in found:
        if isinstance(route, Mount):
            all_paths += paths(list(route.routes), before + route.path)
        else:
            assert isinstance(route, Route)
            path = before + re.sub(r"{(\w+)}", lambda match: SAMPLES.get(match[1], "x" * 23), route.path)
            all_paths += [path, f"{path}/"]
    return [*all_paths, "/nowhere", "//", "/%00"]


def check(answer: httpx.Response) -> None:
    """The headers that no answer may lack."""
    assert answer.headers.get_list("x-content-type-options") == ["nosniff"], answer.request
    policies = answer.headers.get_list("content-security-policy")
    assert len(policies) == 1, answer.request
    assert "default-src 'none'" in policies[0], answer.request
    assert "frame-ancestors 'none'" in policies[0], answer.request
    assert "strict-transport-security" not in answer.headers, answer.request


@pytest.mark.parametrize("server", ["asgi", "asgi /g"], indirect=True)
async def test_every_route_and_every_refusal_is_guarded(server: Server) -> None:
    asked = 0
    for path in dict.fromkeys(paths(routes(server.state.settings.prefix))):
        for method in METHODS:
            answer = await server.http.request(method, path, headers={"Host": EVIL})
            check(answer)
            assert EVIL not in answer.text, (method, path)
            assert EVIL not in str(answer.headers), (method, path)
            asked += 1
    assert asked > 400


async def test_a_store_that_is_away_and_a_mistake_of_ours_are_guarded(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    for error, status in ((StoreError("away"), 503), (RuntimeError("a mistake"), 500)):

        async def fails(*_: object, error: Exception = error) -> None:
            raise error

        monkeypatch.setattr(server.state.store.api_keys, "key_by_hash", fails)
        answer = await server.http.get("/v1/stats/summary", headers={"Authorization": "Bearer gv_x"})
        assert answer.status_code == status
        check(answer)


async def test_a_page_with_a_policy_of_its_own_keeps_it(server: Server) -> None:
    token = (await server.visit())["tokens"]["copy"]
    for path, allowed in (("/sign-in", "style-src 'self'"), (f"/about/{token}", "sha256-"), ("/s/x", "sha256-")):
        answer = await server.http.get(path)
        check(answer)
        assert allowed in answer.headers["content-security-policy"]


async def test_a_slash_too_many_redirects_nowhere(server: Server) -> None:
    for path in ("/sign-in/", "/cascades/", "/v1/stats/summary/", "/healthz/"):
        assert (await server.http.get(path, headers={"Host": EVIL})).status_code == 404


async def test_hsts_only_when_asked_and_without_subdomains(tmp_path: Path) -> None:
    settings = Settings(database=f"sqlite:///{tmp_path / 'x.sqlite3'}", secret_keys=(b"k" * 32,), hsts=300)
    async with serving(settings) as server:
        for path in ("/healthz", "/sign-in", "/nowhere", "/widget.js"):
            assert (await server.http.get(path)).headers["strict-transport-security"] == "max-age=300"


def qr_of(url: str) -> str:
    """The picture of a QR code as the server makes it."""
    return segno.make(url, error="m").svg_inline(scale=8, border=2)


async def qr(server: Server, token: str, **headers: str) -> httpx.Response:
    return await server.http.get(f"/s/{token}/qr.svg", headers=headers)


def drawn(svg: str) -> str:
    found = re.search(r'd="([^"]+)"', svg)
    assert found
    return found[1]


async def test_a_qr_code_names_the_address_it_listens_on(server: Server) -> None:
    token = (await server.visit())["tokens"]["copy"]
    expected = drawn(qr_of(f"http://grapevine.example/s/{token}"))
    for host in ("grapevine.example", EVIL):
        answer = await qr(server, token, Host=host)
        assert drawn(answer.text) == expected


async def test_behind_a_proxy_there_is_no_wrong_qr_code(server: Server, caplog: pytest.LogCaptureFixture) -> None:
    token = (await server.visit())["tokens"]["copy"]
    for name in ("X-Forwarded-Host", "X-Forwarded-Proto", "Forwarded"):
        answer = await qr(server, token, **{name: EVIL})
        assert answer.status_code == 404
        assert "GRAPEVINE_BASE_URL" in answer.json()["detail"]
    assert "GRAPEVINE_BASE_URL" in caplog.text


async def test_the_base_url_is_what_qr_codes_and_snippets_name(tmp_path: Path) -> None:
    settings = Settings(
        database=f"sqlite:///{tmp_path / 'x.sqlite3'}", secret_keys=(b"k" * 32,), base_url="https://share.example"
    )
    async with serving(settings) as server:
        await server.add_site("site-a", "https://a.example")
        token = (await server.visit())["tokens"]["copy"]
        answer = await qr(server, token, Host=EVIL, **{"X-Forwarded-Host": EVIL})
        assert drawn(answer.text) == drawn(qr_of(f"https://share.example/s/{token}"))


@pytest.mark.parametrize(
    ("host", "usable"),
    [
        ("a.example", True),
        ("a.example:8000", True),
        ("a.example:", True),
        ("127.0.0.1", True),
        ("[::1]:80", True),
        ("xn--bcher-kva.example", True),
        ("", False),
        ("a.example/path", False),
        ("user@a.example", False),
        ("a b", False),
        ("a.example:x", False),
        ("a.example:123456", False),
        ("[::1", False),
        ("bücher.example", False),
        ("a" * 301, False),
    ],
)
def test_what_a_host_header_may_be(host: str, *, usable: bool) -> None:
    assert is_usable_host(host.encode()) is usable
