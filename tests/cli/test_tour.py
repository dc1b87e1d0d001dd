"""``grapevine demo --tour`` refuses options that leave no person to talk with."""

from __future__ import annotations

import pytest

from tests.cli.terminal import Terminal


@pytest.mark.parametrize("other", ["--json", "--traffic 10"])
def test_the_tour_excludes_options_that_leave_no_person_to_talk_with(other: str, run: Terminal) -> None:
    done = run("demo", "--tour", *other.split())
    assert (done.status, done.out) == (2, "")
    option = other.partition(" ")[0]
    assert done.err == f"grapevine: --tour talks with a person who shares links by hand; leave {option} out\n"
