"""A page does not notice that the server of its widget is away, slow or wrong."""

from __future__ import annotations

import pytest

from tests.engines.hostile import Odd
from tests.engines.hostile_run import compare
from tests.engines.hostile_server import SERVERS
from tests.engines.server import RecorderServer
from tests.engines.tab import Tab


@pytest.mark.parametrize("odd", SERVERS, ids=lambda odd: odd.id)
def test_a_server_that_does_not_serve(tab: Tab, recorder: RecorderServer, odd: Odd) -> None:
    compare(tab, odd, recorder)
