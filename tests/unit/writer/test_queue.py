"""The waiting room: bounded by number and bytes, fair to all sites, in order within each."""

from __future__ import annotations

import random

from grapevine.domain.events import View
from grapevine.writer.queue import FairQueue, QueuedEvent


def waiting(site: int, number: int = 0, size: int = 1) -> QueuedEvent:
    return QueuedEvent(View(site_id=site, visit_id=number, nonce="n" * 16, at=0), print, size)


def taken(room: FairQueue, most: int) -> list[tuple[int, int]]:
    return [(one.event.site_id, one.event.visit_id) for one in room.take(most) if isinstance(one.event, View)]


def test_one_site_fills_half_and_others_find_room() -> None:
    room = FairQueue(100, 10_000)
    assert sum(room.add(waiting(1)) for _ in range(200)) == 50
    assert sum(room.add(waiting(2)) for _ in range(200)) == 25
    assert room.add(waiting(3))
    assert not room.add(waiting(1))
    assert len(room) == 76


def test_bytes_are_bounded_too() -> None:
    room = FairQueue(100, 10_000)
    assert sum(room.add(waiting(1, size=1_000)) for _ in range(50)) == 5
    assert room.add(waiting(2, size=1_000))
    room.take(100)
    assert sum(room.add(waiting(1, size=1_000)) for _ in range(50)) == 5


def test_a_batch_takes_from_all_sites_alike_and_in_order() -> None:
    room = FairQueue(1_000, 10_000)
    for number in range(90):
        room.add(waiting(1, number))
    for number in range(3):
        room.add(waiting(2, number))
    room.add(waiting(3))
    first = taken(room, 30)
    assert len(first) == 30
    assert [number for site, number in first if site == 2] == [0, 1, 2]
    assert (3, 0) in first
    assert [number for site, number in first if site == 1] == list(range(26))
    assert taken(room, 100) == [(1, number) for number in range(26, 90)]
    assert len(room) == 0


def test_nothing_is_lost_or_doubled_whatever_comes() -> None:
    draw, room = random.Random(5), FairQueue(64, 640)  # noqa: S311
    came, left = [], []
    for number in range(5_000):
        if draw.random() < 0.7:
            site = draw.choice((1, 1, 1, 2, 3))
            if room.add(waiting(site, number, draw.randrange(20))):
                came.append((site, number))
        else:
            left += taken(room, draw.randrange(1, 20))
        assert len(room) == len(came) - len(left) <= 64
    left += taken(room, 64)
    assert sorted(left) == sorted(came)
    for site in (1, 2, 3):
        assert [one for one in left if one[0] == site] == [one for one in came if one[0] == site]
