"""The caches of recent keys are bounded and keep the newest."""

from __future__ import annotations

from grapevine.writer.caches import PageBudget, RecentKeys


def test_the_last_keys_are_remembered_and_never_too_many() -> None:
    memory: RecentKeys[int] = RecentKeys(100)
    for number in range(1_000):
        memory.add([number])
        assert all(key in memory for key in range(max(0, number - 99), number + 1))
    assert sum(key in memory for key in range(1_000)) <= 201


def test_there_is_surely_room_up_to_half_of_the_bound_once_it_was_asked() -> None:
    budget = PageBudget(10)
    assert not budget.admits(1, 7, 1)
    budget.set_used(1, 7, 3)
    assert budget.admits(1, 7, 1)
    assert not budget.admits(1, 7, 2)
    assert budget.admits(1, 7, 1)
    assert not budget.admits(1, 7, 1)
    assert not budget.admits(1, 8, 1)
    assert not budget.admits(2, 7, 1)
    budget.set_used(1, 7, 0)
    assert budget.admits(1, 7, 5)


def test_the_days_with_room_are_bounded() -> None:
    budget = PageBudget(10)
    for site in range(10_001):
        budget.set_used(site, 7, 1)
    assert not budget.admits(0, 7, 1)
    assert budget.admits(10_000, 7, 1)
