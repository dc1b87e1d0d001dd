"""The demo site's server: every file with its type, the snippet filled in, nothing from outside the folder."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from grapevine.demo.site import demo_folder
from grapevine.simulate.presets import DEMO_PAGES
from grapevine.web.demo_site import demo_site

pytestmark = pytest.mark.anyio


@pytest.fixture
async def site(anyio_backend: str) -> AsyncIterator[httpx.AsyncClient]:
    assert anyio_backend == "asyncio"
    app = demo_site(demo_folder(), {"GRAPEVINE": "http://grapevine.example", "SITE": "a&b"})
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://site.example") as client:
        yield client


async def test_every_file_is_served(site: httpx.AsyncClient) -> None:
    folder = demo_folder()
    files = [file for file in folder.rglob("*") if file.is_file()]
    assert len(files) > 15
    for file in files:
        answer = await site.get(f"/{file.relative_to(folder).as_posix()}")
        assert answer.status_code == 200
        assert answer.headers["content-type"] != "application/octet-stream", file
        assert answer.headers["cache-control"] == "no-cache"


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/", "text/html; charset=utf-8"),
        ("/style.css", "text/css; charset=utf-8"),
        ("/favicon.svg", "image/svg+xml"),
        ("/app/app.js", "text/javascript; charset=utf-8"),
    ],
)
async def test_types(site: httpx.AsyncClient, path: str, kind: str) -> None:
    assert (await site.get(path)).headers["content-type"] == kind


async def test_the_snippet_is_filled_in(site: httpx.AsyncClient) -> None:
    for _, page in DEMO_PAGES:
        answer = await site.get(page.path)
        assert answer.status_code == 200
        assert f"<title>{page.title}</title>" in answer.text
        assert '<script async src="http://grapevine.example/widget.js" data-site="a&amp;b"' in answer.text
        assert "__" not in answer.text


async def test_the_single_page_app_answers_below_its_folder(site: httpx.AsyncClient) -> None:
    app = await site.get("/app/")
    assert (await site.get("/app/some/route")).text == app.text
    assert (await site.get("/app/missing.js")).status_code == 404


async def test_folders_have_a_slash(site: httpx.AsyncClient) -> None:
    answer = await site.get("/docs")
    assert (answer.status_code, answer.headers["location"]) == (308, "/docs/")


@pytest.mark.parametrize(
    "path", ["/nowhere", "/docs/nowhere/", "/../pyproject.toml", "/%2e%2e/pyproject.toml", "//etc/passwd", "/a%00b"]
)
async def test_what_is_not_there(site: httpx.AsyncClient, path: str) -> None:
    answer = await site.get(path)
    assert answer.status_code == 404
    assert "Nothing has settled here" in answer.text


async def test_it_is_only_read(site: httpx.AsyncClient) -> None:
    assert (await site.post("/")).status_code == 405
    head = await site.head("/")
    assert (head.status_code, head.content) == (200, b"")
    assert int(head.headers["content-length"]) > 1000


def test_the_folder_is_found(project_root: Path) -> None:
    assert demo_folder() == project_root / "demo_site"
