"""One browser per worker; every test has its own site, its own visitors and its own recorder."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.browser.demo import demo as demo
from tests.browser.demo import reader as reader
from tests.browser.fake_collect_api import HOME, Recorder
from tests.support.browsers import CHROMIUM, DESK, FLAGS, start_chromium
from tests.support.built_widget import Built as Built
from tests.support.built_widget import built as built
from tests.support.built_widget import earlier_build as earlier_build
from tests.support.fake_server import snippet as embed
from tests.support.page_server import Site, serve_site

Visitor = Callable[..., BrowserContext]
Snippet = Callable[..., str]


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """One browser for this folder: while it runs, Playwright's loop keeps asynchronous tests from running theirs."""
    with sync_playwright() as playwright:
        chromium = start_chromium(playwright)
        yield chromium
        chromium.close()


@pytest.fixture
def site() -> Iterator[Site]:
    with serve_site() as served:
        served.snippet = snippet()
        yield served


@pytest.fixture
def visitor(browser: Browser) -> Iterator[Visitor]:
    """Makes a person with a browser profile of their own; what they run into in the console fails the test."""
    contexts: list[BrowserContext] = []

    def make(**options: Any) -> BrowserContext:
        context = browser.new_context(**{"user_agent": DESK, **options})
        context.set_default_timeout(30_000)
        contexts.append(context)
        return context

    yield make
    for context in contexts:
        context.close()


@pytest.fixture
def recorder(built: Built) -> Recorder:
    return Recorder(built.scripts["widget"], built.loaded_later)


@pytest.fixture
def page(visitor: Visitor, recorder: Recorder) -> Page:
    """A tab of a visitor whose reports go to the recorder."""
    context = visitor()
    recorder.attach(context)
    return context.new_page()


@pytest.fixture
def whole_page(browser: Browser, recorder: Recorder) -> Iterator[Page]:
    """As ``page``, in the whole browser: its headless shell opens no tab in the background."""
    whole = browser.browser_type.launch(executable_path=CHROMIUM, args=list(FLAGS))
    context = whole.new_context(user_agent=DESK)
    context.set_default_timeout(30_000)
    recorder.attach(context)
    yield context.new_page()
    whole.close()


def snippet(**attributes: str) -> str:
    """The line that embeds the widget, with more `data-` attributes if wanted."""
    return embed(HOME, **attributes)
