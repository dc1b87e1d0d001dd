"""``grapevine payouts``: a table, JSON, and a file for a spreadsheet."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from grapevine.cli.payouts import part
from grapevine.exports.payouts import payouts_csv
from grapevine.referrals.answers import PayoutRule, Payouts, ReferrerPayout
from tests.cli.terminal import Terminal

pytestmark = pytest.mark.anyio


def test_parts_are_read_as_people_write_them() -> None:
    assert [part(text) for text in ("10%", "0.1", "12.5%", "1")] == ["0.1", "0.1", "0.125", "1"]


async def test_names_that_are_formulas_are_guarded_and_amounts_stay_numbers() -> None:
    row = ReferrerPayout(
        external_id="=HYPERLINK(1)",
        conversions=0,
        refunds=1,
        value={"EUR": "-20.00", "USD": "1.00"},
        credited={"EUR": "-2.00"},
        held={"USD": "0.10"},
        held_conversions=1,
        held_first=[],
        marks={"narrow": 1, "self": 1},
        network_days=3,
        generations=[],
    )
    rule = PayoutRule(rate="0.1", fixed={}, pass_on="0.5", hold=2, networks=6)
    found = Payouts(rule=rule, conversions=0, value={}, credited={}, held={}, referrers=[row])
    written = (await payouts_csv(found)).decode("utf-8-sig")
    header, *rows = csv.reader(written.splitlines())
    assert header[:7] == ["external_id", "currency", "conversions", "refunds", "value", "credited", "held"]
    assert rows == [
        ["'=HYPERLINK(1)", "EUR", "0", "1", "-20.00", "-2.00", "0.00", "1", "narrow 1, self 1", "3"],
        ["'=HYPERLINK(1)", "USD", "0", "1", "1.00", "0.00", "0.10", "1", "narrow 1, self 1", "3"],
    ]


def test_a_programme_without_a_conversion_says_so(run: Terminal, tmp_path: Path) -> None:
    site = run.add_site()
    assert "No referrer" in run("payouts", site).out
    assert json.loads(run("payouts", site, "--rate", "20%", "--json").out)["rule"]["rate"] == "0.2"
    file = tmp_path / "owed.csv"
    run("payouts", site, "--csv", str(file))
    assert file.read_bytes().startswith(b"\xef\xbb\xbfexternal_id,")
    assert file.stat().st_mode & 0o777 == 0o600
    wrong = run("payouts", site, "--fixed", "5")
    assert (wrong.status, "currency" in wrong.err) == (2, True)
