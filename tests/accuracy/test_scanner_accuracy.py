"""The figures of `docs/suspects.md` on single openings, on fewer mails: most programs are found, people stay."""

from __future__ import annotations

import pytest

from tests.accuracy.scanner_worlds import OFFICE, USUAL, WORLDS, MailWorld, found

MAILS = 4_000


def test_most_single_openings_are_found_and_people_stay() -> None:
    usual = found(USUAL, 41, MAILS)
    assert usual.scanners > 1_000
    assert usual.recall >= 0.8
    assert usual.false_alarms <= 0.005


@pytest.mark.parametrize("world", WORLDS[:-3], ids=lambda world: world.name)
def test_people_stay_in_wrong_worlds_too(world: MailWorld) -> None:
    assert found(world, 42, MAILS).false_alarms <= 0.01


def test_people_who_open_within_seconds_and_leave_need_a_sign_to_be_taken_out() -> None:
    plain = OFFICE._replace(people=OFFICE.people._replace(data_centre=0, no_language=0))
    assert found(plain, 43, MAILS).people_taken == 0
    assert found(OFFICE, 43, MAILS).false_alarms <= 0.03


def test_without_any_sign_nothing_is_taken_out() -> None:
    """Programs that look like people in everything are never found by time alone."""
    world = USUAL._replace(scanners=USUAL.scanners._replace(data_centre=0, old_engine=0, no_language=0))
    assert found(world, 44, MAILS).scanners_taken == 0
