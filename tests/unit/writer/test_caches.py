"""What is remembered for a while: bounded, the newest kept."""

from __future__ import annotations

from starlette.responses import Response

from grapevine.web.redirect_cache import Followed
from grapevine.writer.caches import PageBudget, RecentKeys


def test_the_last_keys_are_remembered_and_never_too_many() -> None:
    memory: RecentKeys[int] = RecentKeys(100)
    for number in range(1_000):
        memory.add([number])
        assert all(key in memory for key in range(max(0, number - 99), number + 1))
    assert sum(key in memory for key in range(1_000)) <= 201


def test_there_is_surely_room_up_to_half_of_the_bound_once_it_was_asked() -> None:
    room = PageBudget(10)
    assert not room.takes(1, 7, 1)
    room.found(1, 7, 3)
    assert room.takes(1, 7, 1)
    assert not room.takes(1, 7, 2)
    assert room.takes(1, 7, 1)
    assert not room.takes(1, 7, 1)
    assert not room.takes(1, 8, 1)
    assert not room.takes(2, 7, 1)
    room.found(1, 7, 0)
    assert room.takes(1, 7, 5)


def test_the_days_with_room_are_bounded() -> None:
    room = PageBudget(10)
    for site in range(10_001):
        room.found(site, 7, 1)
    assert not room.takes(0, 7, 1)
    assert room.takes(10_000, 7, 1)


class Now:
    at = 1_800_000_000_000
    version = 1

    def __call__(self) -> int:
        return self.at


def test_a_followed_link_is_known_for_a_minute_until_a_site_or_its_share_changes() -> None:
    now = Now()
    followed = Followed(now, lambda: now.version)
    response = Response()

    def known() -> bool:
        return followed.get("token") is response

    assert not known()
    followed.keep("token", response)
    now.at += 59_999
    assert known()
    now.at += 1
    assert not known()
    followed.keep("token", response)
    now.version += 1
    assert not known()
    followed.keep("token", response)
    followed.forget("token")
    assert not known()


def test_followed_links_are_bounded_and_the_oldest_goes() -> None:
    now = Now()
    followed = Followed(now, lambda: now.version)
    for number in range(5_000):
        followed.keep(str(number), Response())
    assert followed.get("0") is None
    assert followed.get("4999") is not None
    assert sum(followed.get(str(number)) is not None for number in range(5_000)) == 4_096
