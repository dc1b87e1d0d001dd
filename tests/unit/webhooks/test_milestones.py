"""Milestones of cascades, compared with a list of them."""

from __future__ import annotations

from grapevine.webhooks.milestones import message_id, milestone_passed

MILESTONES = [10, 30, 100, 300, 1_000, 3_000, 10_000, 30_000]


def test_each_growth_passes_the_largest_milestone_within_it() -> None:
    edges = sorted({edge + near for edge in (1, *MILESTONES) for near in (-1, 0, 1)})
    for before in edges:
        for after in [edge for edge in edges if edge >= before]:
            within = [one for one in MILESTONES if before < one <= after]
            assert milestone_passed(before, after) == max(within, default=None), (before, after)


def test_the_id_of_a_milestone_depends_on_site_cascade_and_milestone_alone() -> None:
    ids = {message_id(*numbers) for numbers in ((1, 2, 10), (1, 2, 30), (1, 3, 10), (2, 2, 10), (12, 1, 0), (1, 21, 0))}
    assert len(ids) == 6
    assert message_id(1, 2, 10) == message_id(1, 2, 10)
