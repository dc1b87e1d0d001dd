"""The caches of recent keys are bounded and keep the newest."""

from __future__ import annotations

from grapevine.writer.caches import OfferedTitle, RecentKeys, RecentTitles


def test_the_last_keys_are_remembered_and_never_too_many() -> None:
    memory: RecentKeys[int] = RecentKeys(100)
    for number in range(1_000):
        memory.add([number])
        assert all(key in memory for key in range(max(0, number - 99), number + 1))
    assert sum(key in memory for key in range(1_000)) <= 201


def test_the_titles_of_the_last_pages_are_remembered_and_never_too_many() -> None:
    memory = RecentTitles(100)
    for number in range(1_000):
        memory.add({(1, number, 2): OfferedTitle(number, 0)})
        assert all(memory.get((1, key, 2)) for key in range(max(0, number - 99), number + 1))
    assert sum(memory.get((1, key, 2)) is not None for key in range(1_000)) <= 201
    memory.add({(1, 950, 2): OfferedTitle(7, 1)})
    assert memory.get((1, 950, 2)) == OfferedTitle(7, 1)
    memory.forget((1, 950, 2))
    assert memory.get((1, 950, 2)) is None
