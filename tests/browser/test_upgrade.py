"""An upgrade while pages still have the script from before it: in the browser's cache, or pinned by its hash.

Two real installations serve one database, one after the other.
"""

from __future__ import annotations

import json
import shutil
import socket
from pathlib import Path
from typing import Final

import brotli
import httpx
import pytest

from build import compressed, digest_of, integrity, replace_folder
from tests.browser.conftest import Visitor
from tests.browser.fake_collect_api import until
from tests.support.grapevine_process import CommandRunner
from tests.support.in_process_server import PLAIN
from tests.support.page_server import Site

pytestmark = pytest.mark.process

OTHER_DIGEST: Final = "0123456789ab"
FOLLOW: Final = '<grapevine-follow accounts="x:handle"></grapevine-follow>'
BAR: Final = "() => document.querySelector('grapevine-buttons')?.shadowRoot?.querySelectorAll('a, button').length > 3"
FOLLOWED: Final = "() => document.querySelector('grapevine-follow')?.shadowRoot?.querySelector('a')"


def install_other_build(project_root: Path, folder: Path) -> dict[str, bytes]:
    """Puts the package into ``folder`` with another build of the widget, and returns the files of that by name."""
    package = project_root / "server/grapevine"
    shutil.copytree(package, folder / "grapevine", ignore=shutil.ignore_patterns("built"))
    shutil.copytree(package / "built/data", folder / "grapevine/built/data")
    manifest = json.loads((package / "built/widget/manifest.json").read_text("utf-8"))
    digest, script = manifest["digest"], manifest["scripts"]["widget"]["file"]
    bodies: dict[str, bytes] = {}
    for path in (package / "built/widget").iterdir():
        if path.suffix in (".js", ".json") and path.name != "manifest.json":
            body = path.read_bytes().replace(digest.encode(), OTHER_DIGEST.encode())
            name = f"widget.{digest_of(body)}.js" if path.name == script else path.name.replace(digest, OTHER_DIGEST)
            bodies[name] = body
            if path.name == script:
                manifest["scripts"]["widget"] |= {"file": name, "integrity": integrity(body)}
    files = {"manifest.json": json.dumps(manifest).encode()}
    for name, body in bodies.items():
        files |= compressed(name, body)
    replace_folder(folder / "grapevine/built/widget", files)
    return bodies


def free_port() -> str:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return str(found.getsockname()[1])


def test_pages_with_the_script_from_before_an_upgrade_live_on(
    visitor: Visitor, site: Site, project_root: Path, tmp_path: Path
) -> None:
    old_files = install_other_build(project_root, tmp_path)
    (old_script,) = [name for name in old_files if name.count(".") == 2]
    port = free_port()
    server = f"http://127.0.0.1:{port}"
    runner = CommandRunner(tmp_path)
    key = json.loads(runner.run("site", "add", "Lees", "--origin", site.origin).stdout)["site"]
    plain = f'<script async src="{server}/widget.js" data-site="{key}"></script>'
    site.page("/1", snippet=plain)
    site.page("/2", FOLLOW, snippet=plain)
    part = f"widget.{OTHER_DIGEST}.buttons.js"
    pinned = f'<script async src="{server}/{old_script}" integrity="INTEGRITY" crossorigin data-site="{key}"></script>'
    preload = f'<link rel="modulepreload" href="{server}/{part}" integrity="{integrity(old_files[part])}" crossorigin>'
    pinned = pinned.replace("INTEGRITY", integrity(old_files[old_script]))
    site.page("/pinned", FOLLOW, head=preload, snippet=pinned)

    page = visitor().new_page()
    client = httpx.Client(base_url=server, trust_env=False, verify=PLAIN)
    with runner.serving("--port", port, PYTHONPATH=str(tmp_path)):
        assert client.get("/widget.js").headers["etag"] == f'"{old_script}"'
        page.goto(site.origin + "/1")
        page.wait_for_function(BAR)

    with runner.serving("--port", port):
        assert client.get("/widget.js").headers["etag"] != f'"{old_script}"'
        for name, body in old_files.items():
            answer = client.get(f"/{name}", headers={"Accept-Encoding": "gzip"})
            assert (answer.status_code, answer.content) == (200, body), name
            assert (answer.headers["content-encoding"], "immutable" in answer.headers["cache-control"]) == (
                "gzip",
                True,
            )
            with client.stream("GET", f"/{name}", headers={"Accept-Encoding": "br"}) as raw:
                assert brotli.decompress(b"".join(raw.iter_raw())) == body, name
        asked: dict[str, int] = {}
        page.on("response", lambda response: asked.update({response.url.rpartition("/")[2]: response.status}))
        page.goto(site.origin + "/2")  # `widget.js` is in the browser's cache for an hour
        page.wait_for_function(BAR)
        page.wait_for_function(FOLLOWED)
        assert asked[f"widget.{OTHER_DIGEST}.follow.js"] == 200

        fresh = visitor().new_page()
        lines: list[str] = []
        fresh.on("console", lambda message: lines.append(message.text))
        fresh.goto(site.origin + "/pinned")
        fresh.wait_for_function(BAR)
        fresh.wait_for_function(FOLLOWED)
        until(fresh, lambda: fresh.evaluate("() => window.grapevine.visit"))
        assert lines == []
    client.close()
