"""A stranger who invents click ids without end, or repeats another visitor's.

The bounds by day themselves, small ones, are in ``tests/store/writer/test_click_ids.py``.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Final

from grapevine.domain.visit_evidence import COPIED_ADDRESS
from grapevine.writer.name_bounds import BOUNDS, CLICK_ID
from tests.attack.test_invented_names import FLOOD, HONEST, NO_RATES, Caller
from tests.support.attacked_server import AttackedInstallation

CLICKS: Final = "/deep?fbclid="


def looked(database: Path, text: str) -> list[tuple[int, ...]]:
    with closing(sqlite3.connect(database)) as connection:
        return connection.execute(text).fetchall()


def test_invented_click_ids_fill_nothing_and_take_nothing_from_others(attacked: AttackedInstallation) -> None:
    most = BOUNDS[CLICK_ID].a_network
    assert most is not None
    with attacked.attacked(**NO_RATES) as server:
        site = server.sites[0].site
        with Caller(server.port, site, FLOOD) as flood:
            came = [flood.visit(f"{CLICKS}invented-{number}")["source"] for number in range(most + 200)]
        assert came == ["social"] * most + ["direct-deep"] * 200
        assert looked(attacked.database, "SELECT count(*) FROM guards WHERE kind = 7") == [(most,)]
        with Caller(server.port, site, HONEST) as honest:
            assert honest.visit(f"{CLICKS}a-click-of-a-person")["source"] == "social"
            assert honest.visit(f"{CLICKS}another-click")["source"] == "social"


def test_a_repeated_click_id_changes_nothing_of_the_person_who_clicked(attacked: AttackedInstallation) -> None:
    with attacked.attacked(**NO_RATES) as server:
        site = server.sites[0].site
        with Caller(server.port, site, HONEST) as honest, Caller(server.port, site, FLOOD) as stranger:
            assert honest.visit(f"{CLICKS}a-click-of-a-person")["source"] == "social"
            assert {stranger.visit(f"{CLICKS}a-click-of-a-person")["source"] for _ in range(100)} == {"direct-deep"}
            assert honest.visit(f"{CLICKS}a-click-of-a-person")["source"] == "social"
        assert looked(attacked.database, "SELECT count(*) FROM guards WHERE kind = 7") == [(1,)]
        copied = f"SELECT count(*) FROM visits WHERE evidence & {COPIED_ADDRESS}"
        assert looked(attacked.database, copied) == [(100,)]
