"""Goals that a page reports: amounts reach the server as they were meant."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page

from tests.browser.fake_collect_api import Recorder
from tests.browser.test_widget_api import opened
from tests.support.page_server import Site


@pytest.mark.parametrize(
    ("written", "sent"),
    [("0.1 + 0.2", "0.300000"), ("49", "49.000000"), ("'49.00'", "49.00"), ("1 / 3", "0.333333"), ("null", None)],
)
def test_an_amount_is_sent_as_a_decimal_text(
    page: Page, site: Site, recorder: Recorder, written: str, sent: str | None
) -> None:
    opened(page, site)
    page.wait_for_function("() => grapevine.visit")
    page.evaluate(f"() => {{ grapevine.convert('order', {{value: {written}, currency: 'EUR', id: 'A-1'}}) }}")
    [goal] = recorder.wait(page, "conversions")
    assert (goal.get("value"), goal["currency"], goal["id"]) == (sent, "EUR", "A-1")
