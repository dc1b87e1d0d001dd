"""The verdict on the openings of one sharer's links from one network on a day: how many of them people explain.

Reach can be bought: a program opens one link as often as it likes, each time as another browser. A network is no
person, and behind one address may be an office, a university or a whole mobile provider. What tells them apart is that
people do something: among the readers of a link some turn to a second page, share, answer or reach a goal, and a
program that was told to open a link does not. At least ``1 / PER_ACTIVE`` of people do; so each opening with activity
explains so many silent ones. What no activity explains is given the benefit of the doubt up to ``UNEXPLAINED``, since
a small group may have been silent by chance.

docs/suspects.md has the figures: how many colleagues behind one address lose their visit, how much of a flood is left.
"""

from __future__ import annotations

from typing import Final

UNEXPLAINED: Final = 100
"""Silent openings of a day from one network that need no explanation."""
PER_ACTIVE: Final = 50
"""Silent openings that each active one explains."""


def excess(silent: int, counted: int, active: int) -> int:
    """Returns how many of a network's openings to take out of the counts, the last ones.

    ``silent`` openings showed nothing but one page view, and ``counted`` of them still count; ``active`` ones are
    never taken out.
    """
    explained = PER_ACTIVE * active
    return 0 if silent <= UNEXPLAINED + explained else max(counted - explained, 0)
