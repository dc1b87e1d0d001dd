"""The widget as it is served: immutable hashed files, and an entry that names the newest."""

from __future__ import annotations

import base64
import gzip
import hashlib

import pytest

from tests.support.in_process_server import Server

pytestmark = pytest.mark.anyio


async def test_the_entry_and_the_hashed_file_are_the_same_script(server: Server) -> None:
    script = server.state.widget.scripts["widget.js"]
    entry = await server.http.get("/widget.js")
    hashed = await server.http.get(f"/{script.file}")
    assert entry.content == hashed.content
    assert entry.headers["content-type"].startswith("text/javascript")
    assert "immutable" in hashed.headers["cache-control"]
    assert "immutable" not in entry.headers["cache-control"]
    digest = base64.b64encode(hashlib.sha384(entry.content).digest()).decode()
    assert script.integrity == f"sha384-{digest}"


@pytest.mark.parametrize(("accepted", "encoding"), [("gzip, deflate, br", "br"), ("gzip", "gzip"), ("identity", None)])
async def test_precompressed(server: Server, accepted: str, encoding: str | None) -> None:
    async with server.http.stream("GET", "/widget.js", headers={"Accept-Encoding": accepted}) as response:
        body = b"".join([chunk async for chunk in response.aiter_raw()])
    assert response.headers.get("content-encoding") == encoding
    assert response.headers["vary"] == "Accept-Encoding"
    if encoding == "gzip":
        assert gzip.decompress(body).startswith(b"(")


@pytest.mark.parametrize("path", ["/widget.js", "/openapi.json", "/v1/counts?site=site-a&url=https://a.example/"])
@pytest.mark.parametrize("known", ["{tag}", "W/{tag}", '"x", {tag}', '"x",W/{tag}', "*"])
async def test_what_is_known_is_not_sent_again(server: Server, path: str, known: str) -> None:
    tag = (await server.http.get(path)).headers["etag"]
    response = await server.http.get(path, headers={"If-None-Match": known.format(tag=tag)})
    assert (response.status_code, response.content, response.headers["etag"]) == (304, b"", tag)
    other = await server.http.get(path, headers={"If-None-Match": f'"x", {tag[:-1]}x"'})
    assert other.status_code == 200


@pytest.mark.parametrize(
    ("suffix", "media_type"),
    [("buttons.js", "text/javascript"), ("mastodon.json", "application/json"), ("de.json", "application/json")],
)
async def test_what_the_script_loads_when_it_needs_it(server: Server, suffix: str, media_type: str) -> None:
    (name,) = [name for name in server.state.widget.built if name.endswith(f".{suffix}")]
    response = await server.http.get(f"/{name}")
    assert response.headers["content-type"].startswith(media_type)
    assert response.headers["access-control-allow-origin"] == "*"
    assert "immutable" in response.headers["cache-control"]


async def test_files_of_builds_from_before_servers_kept_them_are_in_the_package(
    server: Server, earlier_build: dict[str, str]
) -> None:
    assert len(earlier_build) > 60
    for name, text in earlier_build.items():
        response = await server.http.get(f"/{name}", headers={"Accept-Encoding": "br"})
        assert (response.status_code, response.text) == (200, text), name
        assert response.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert response.headers["content-encoding"] == "br"


@pytest.mark.parametrize("name", ["widget.nothing.js", "widget.js.br", "widget", "icons.json"])
async def test_nothing_else_is_served(server: Server, name: str) -> None:
    assert (await server.http.get(f"/{name}")).status_code == 404
