"""Pages whose scripts make life hard behave with the widget as without it, and the widget does there what it can."""

from __future__ import annotations

import pytest

from tests.engines.engine import engines
from tests.engines.hostile import Odd
from tests.engines.hostile_run import compare
from tests.engines.hostile_script import SCRIPTS, UNDRIVEN
from tests.engines.server import RecorderServer
from tests.engines.tab import Tab


@pytest.mark.parametrize("odd", SCRIPTS, ids=lambda odd: odd.id)
def test_a_page_that_breaks_what_scripts_build_on(tab: Tab, recorder: RecorderServer, odd: Odd) -> None:
    compare(tab, odd, recorder)


@pytest.mark.parametrize("engine", [engine for engine in engines() if engine != "webkit"], indirect=True)
@pytest.mark.parametrize("odd", UNDRIVEN, ids=lambda odd: odd.id)
def test_a_page_that_breaks_what_drivers_build_on(tab: Tab, recorder: RecorderServer, odd: Odd) -> None:
    compare(tab, odd, recorder)
