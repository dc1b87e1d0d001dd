"""The figures of `docs/accuracy.md` on smaller worlds: no person is lost, bursts are taken out, the rest is exact."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from tests.accuracy.played import HARD, played

pytestmark = pytest.mark.anyio


async def test_suspects_are_distinguished_from_people() -> None:
    report = await played(34, replace(HARD, visits=400, suspects=6))
    assert report.qualities["parents"].good
    assert report.qualities["self_returns"].good
    verdicts = report.verdicts
    assert verdicts["people"].taken_out == report.robots.people_refused == 0
    for kind in ("driven", "replay"):
        assert verdicts[kind].taken_out == verdicts[kind].stored > 0
    scanned = verdicts["scanner"]
    assert scanned.stored > scanned.taken_out > scanned.stored / 2
    left = scanned.stored - scanned.taken_out  # they opened a link once, as anybody does
    for name in ("visits", "returns", "views"):
        assert report.numbers[name].error == left, name


async def test_without_suspects_every_number_is_exact() -> None:
    report = await played(32, replace(HARD, visits=400, suspects=0))
    assert report.clean
