"""In the server only ``http_client`` imports httpx; it uses only what httpx and its continuation httpx2 both have."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import grapevine
from grapevine import http_client

PACKAGE = Path(grapevine.__file__).parent


def imported(source: str) -> set[str]:
    """The top-level packages that a module imports, wherever in it the import stands."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.partition(".")[0])
    return found


def test_no_other_module_of_the_server_imports_httpx() -> None:
    importers = {
        str(path.relative_to(PACKAGE))
        for path in PACKAGE.rglob("*.py")
        if path.parent.name != "client"
        and imported(path.read_text("utf-8")) & {"httpx", "httpx2", "httpcore", "requests", "aiohttp"}
    }
    assert importers == {"http_client.py"}


@pytest.mark.anyio
async def test_clients_ignore_the_environments_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    async with http_client.make_client("http://127.0.0.1:8000", seconds=1.0, connections=1) as client:
        assert not client.trust_env
    async with await http_client.make_pinned_client(seconds=1.0) as client:
        assert not client.trust_env


def test_a_server_that_is_no_url_is_refused() -> None:
    with pytest.raises(http_client.InvalidURL):
        http_client.make_client("http://a:b:c", seconds=1.0, connections=1)
