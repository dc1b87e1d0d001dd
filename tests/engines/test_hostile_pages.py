"""Odd documents behave with the widget as without it, and the widget does there what it can."""

from __future__ import annotations

import pytest

from tests.engines.hostile import Odd
from tests.engines.hostile_page import PAGES
from tests.engines.hostile_run import compare
from tests.engines.server import RecorderServer
from tests.engines.tab import Tab


@pytest.mark.parametrize("odd", PAGES, ids=lambda odd: odd.id)
def test_an_odd_document(tab: Tab, recorder: RecorderServer, odd: Odd) -> None:
    compare(tab, odd, recorder)
