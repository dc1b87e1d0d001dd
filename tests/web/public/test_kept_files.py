"""Files of other builds: of a server before an upgrade, or of a newer one while an upgrade is under way."""

from __future__ import annotations

import gzip
from typing import Any
from urllib.parse import unquote

import brotli
import pytest

from grapevine.domain import ids
from grapevine.store.repositories.widget_files import KeptFile, WidgetFileRepository
from grapevine.web.public.kept_files import KeptFiles
from tests.support.in_process_server import BOTH_BACKENDS, Server

pytestmark = pytest.mark.anyio

SCRIPT = "widget.aaaaaaaaaaaa.js"
PART = "widget.bbbbbbbbbbbb.buttons.js"
DATA = "widget.bbbbbbbbbbbb.de.json"
OTHER_BUILD = {SCRIPT: "'the script'", PART: "export default 'Schaltfläche'", DATA: '{"copy": "Kopieren"}'}


async def keep(server: Server, build: dict[str, str]) -> None:
    """Does what another server of this database does when it starts."""
    files = [KeptFile(name, text, brotli.compress(text.encode())) for name, text in build.items()]
    await server.store.widget_files.keep(files, server.clock.now)


async def test_a_server_keeps_the_files_of_its_build(server: Server) -> None:
    assert await server.store.widget_files.names() == set(server.state.widget.built)
    for name, file in server.state.widget.built.items():
        found = await server.store.widget_files.file(name)
        assert found == KeptFile(name, file.body.decode(), file.brotli)
        assert brotli.decompress(found.brotli) == file.body


@BOTH_BACKENDS
async def test_files_of_another_build_are_served_as_its_own_server_does(server: Server) -> None:
    assert (await server.http.get(f"/{PART}")).status_code == 404
    await keep(server, OTHER_BUILD)
    server.clock.now += 1_000
    for name, text in OTHER_BUILD.items():
        for accepted, encoding, opened in (
            ("gzip, deflate, br", "br", brotli.decompress),
            ("gzip", "gzip", gzip.decompress),
            ("identity", None, bytes),
        ):
            headers = {"Accept-Encoding": accepted}
            async with server.http.stream("GET", f"/{name}", headers=headers) as response:
                body = b"".join([chunk async for chunk in response.aiter_raw()])
            assert response.status_code == 200
            assert opened(body).decode() == text
            assert response.headers.get("content-encoding") == encoding
            assert response.headers["cache-control"] == "public, max-age=31536000, immutable"
            assert response.headers["access-control-allow-origin"] == "*"
            assert response.headers["etag"] == f'"{name}"'
            assert response.headers["content-type"].startswith(
                "text/javascript" if name.endswith("js") else "application/json"
            )
        known = await server.http.get(f"/{name}", headers={"If-None-Match": f'"{name}"'})
        assert (known.status_code, known.content) == (304, b"")


async def test_the_plain_name_stays_this_servers_script(server: Server) -> None:
    await keep(server, OTHER_BUILD | {"widget.js": "'another'"})
    server.clock.now += 1_000
    script = server.state.widget.scripts["widget.js"]
    assert (await server.http.get("/widget.js")).content == server.state.widget.built[script.file].body


@pytest.mark.parametrize(
    "name",
    [
        "widget.cccccccccccc.js",
        f"{SCRIPT}.br",
        f"{SCRIPT}/%2e%2e/{PART}",
        "widget.%2e%2e%2fmanifest.json",
        "widget..%2F..%2F..%2Fetc%2Fpasswd",
        "widget.aaaaaaaaaaaa.js%00",
        "widget%",
        "widget_files",
        "widget.aaaaaaaaaaaa.JS",
    ],
)
async def test_no_other_name_is_served_and_no_cache_remembers_that_it_is_not(server: Server, name: str) -> None:
    await keep(server, OTHER_BUILD)
    server.clock.now += 1_000
    refused = await server.http.get(f"/{name}")
    assert refused.status_code == 404
    if "/" not in unquote(name):  # a path has no route at all
        assert refused.headers["cache-control"] == "no-store"


class Asked(WidgetFileRepository):
    """Counts what it is asked."""

    def __init__(self, files: WidgetFileRepository) -> None:
        self.files = files
        self.names_read = 0
        self.files_read: list[str] = []

    async def names(self) -> frozenset[str]:
        self.names_read += 1
        return await self.files.names()

    async def file(self, name: str) -> Any:
        self.files_read.append(name)
        return await self.files.file(name)


async def test_names_that_strangers_invent_cost_one_query_a_second(server: Server) -> None:
    asked = Asked(server.store.widget_files)
    kept = KeptFiles(asked, server.state.widget, server.clock)
    await keep(server, OTHER_BUILD)
    for second in range(3):
        for number in range(50):
            assert await kept.find(f"widget.{second:06}{number:06}.js") is None
            assert await kept.find(PART) is not None
        server.clock.now += 1_000
    assert asked.names_read == 3
    assert asked.files_read == [PART]


async def test_a_server_that_runs_for_a_year_keeps_its_files(server: Server) -> None:
    own = set(server.state.widget.built)
    for _ in range(3):
        server.clock.now += 200 * ids.DAY_MS
        await server.state.kept_files.keep()
    assert await server.store.widget_files.names() == own
