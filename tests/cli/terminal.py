"""Runs commands of ``grapevine`` within the test's process, on a database of its own."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest
from starlette.applications import Starlette

from grapevine.cli import main
from grapevine.config.secret_keys import with_secret_keys
from grapevine.config.settings import Settings
from grapevine.domain.tokens import Tokens
from grapevine.serving.app import running, system_clock
from grapevine.sites.cache import Site
from grapevine.store.factory import make_store
from grapevine.web.application import web_application
from grapevine.web.state import AppState
from tests.support.user_agents import CHROME

ORIGIN = "https://a.example"


class Output(NamedTuple):
    """The exit status and the output of a command."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


class Terminal:
    """Runs commands on one database of its own."""

    def __init__(self, folder: Path, capture: pytest.CaptureFixture[str]) -> None:
        self.settings = Settings(database=f"sqlite:///{folder}/grapevine.sqlite3")
        self._capture = capture

    def __call__(self, *arguments: str) -> Output:
        self._capture.readouterr()
        try:
            status = main(arguments)
        except SystemExit as exit_:
            status = int(exit_.code or 0)
        return Output(status, *self._capture.readouterr())

    def add_site(self, name: str = "Lees") -> str:
        return str(self("site", "add", name, "--origin", ORIGIN).json["site"])

    def tokens(self, site: str) -> Tokens:
        """Returns the token codec of the site."""

        async def find() -> Tokens:
            store = make_store(self.settings)
            await store.open()
            rows = await store.sites.sites()
            await store.close()
            row = next(row for row in rows if row.key == site)
            return Site(row, with_secret_keys(self.settings).secret_keys).tokens

        return asyncio.run(find())

    def chain(
        self, site: str, length: int = 3, agent: str = CHROME, through: str | None = None
    ) -> list[dict[str, Any]]:
        """Three visits, or more, each through a copy of the one before; the answers. The first of them comes through a
        token, if one is given."""

        async def grow() -> list[dict[str, Any]]:
            settings, store = with_secret_keys(self.settings), make_store(self.settings)
            await store.open()
            answers: list[dict[str, Any]] = []
            async with running(settings, store, system_clock) as state:
                app = web_application(settings, _no_lifespan)
                assert isinstance(app, Starlette)
                app.state.app_state = state
                for number in range(length):
                    body: dict[str, Any] = {"site": site, "url": f"{ORIGIN}/page", "nonce": f"{number:016}"}
                    body["channels"] = ["copy", "whatsapp"]
                    if answers or through:
                        body["token"] = answers[-1]["tokens"]["copy"] if answers else through
                    transport = httpx.ASGITransport(app, client=(f"192.0.2.{number % 250}", 50_000))
                    sent = {"User-Agent": agent, "Accept-Language": "en", "Origin": ORIGIN}
                    async with httpx.AsyncClient(transport=transport, base_url="http://a", headers=sent) as browser:
                        response = await browser.post("/v1/visits", json=body)
                    answers.append(response.json())
            await store.close()
            return answers

        return asyncio.run(grow())


@asynccontextmanager
async def _no_lifespan(_: Starlette) -> AsyncIterator[dict[str, AppState]]:
    yield {}


def findings(done: Output) -> dict[str, dict[str, Any]]:
    """Returns the findings of `grapevine doctor` by check."""
    found = {finding["check"]: finding for finding in done.json["checks"]}
    assert done.json["ok"] is all(finding["ok"] for finding in found.values()) is (done.status == 0)
    for finding in found.values():
        assert finding["says"].endswith(".")
        assert ("fix" in finding) is not finding["ok"]
    return found
