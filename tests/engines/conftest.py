"""Each test runs in each engine, with a tab, a site and a recorder of its own; one browser at a time per worker."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Playwright, sync_playwright

from tests.engines.engine import Open, engines, started
from tests.engines.server import RecorderServer, serve_recorder
from tests.engines.tab import Tab
from tests.support.built_widget import Built
from tests.support.built_widget import built as built
from tests.support.built_widget import earlier_build as earlier_build
from tests.support.page_server import Site, serve_site


@pytest.fixture(scope="package")
def playwright() -> Iterator[Playwright]:
    """For this folder alone: while it runs, its loop keeps asynchronous tests from running theirs."""
    with sync_playwright() as running:
        yield running


@pytest.fixture(scope="package", params=engines())
def engine(request: pytest.FixtureRequest, playwright: Playwright) -> Iterator[Open]:
    with started(request.param, playwright) as opens:
        yield opens


@pytest.fixture
def tab(engine: Open) -> Iterator[Tab]:
    with engine() as opened:
        yield opened


@pytest.fixture
def recorder(built: Built) -> Iterator[RecorderServer]:
    with serve_recorder(built) as served:
        yield served


@pytest.fixture
def site(recorder: RecorderServer) -> Iterator[Site]:
    """Pages that keep their errors and, unless they say otherwise, carry the widget."""
    with serve_site() as served:
        served.first = recorder.first
        served.snippet = recorder.snippet()
        yield served
