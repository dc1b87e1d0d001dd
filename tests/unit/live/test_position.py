"""The ids of live events."""

from __future__ import annotations

from grapevine.live.position import Position, read_position


def test_a_position_is_what_it_was() -> None:
    whole = Position.of(1_000, {7: 900, 8: 1_001})
    assert read_position(whole.text().decode()) == whole
    assert (whole.numbers(), whole.started) == ({7: 900, 8: 1_001}, None)
    part = Position.of(1_000, {7: 900, 8: 1_001}, 8, 3)
    assert (part.numbers(), part.started, part.sent) == ({7: 900, 8: 1_000}, (8, 1_001), 3)
