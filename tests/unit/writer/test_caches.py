"""The caches of recent keys are bounded and keep the newest."""

from __future__ import annotations

from grapevine.writer.caches import RecentKeys


def test_the_last_keys_are_remembered_and_never_too_many() -> None:
    memory: RecentKeys[int] = RecentKeys(100)
    for number in range(1_000):
        memory.add([number])
        assert all(key in memory for key in range(max(0, number - 99), number + 1))
    assert sum(key in memory for key in range(1_000)) <= 201
