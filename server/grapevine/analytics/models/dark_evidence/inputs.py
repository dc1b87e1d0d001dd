"""What a site measured of its pages, as the model takes it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

GROUPS: Final = 4
"""Into how many groups returns are divided by the visit that shared: chance in one is independent of the others."""


class PageSeries(msgspec.Struct, frozen=True):
    """One page, a number for each day of the period in order.

    ``deep`` are untagged deep direct visits, ``general`` all other visits that are no returns, ``returns`` the private
    returns as GROUPS numbers a day: all returns of one visit's shares stand in one group. ``unfurled`` is the number of
    the page's private shares of the period whose preview an app fetched.
    """

    deep: Sequence[int]
    general: Sequence[int]
    returns: Sequence[Sequence[int]]
    unfurled: int = 0


def days_of(pages: Sequence[PageSeries]) -> int:
    """Returns how many days all ``pages`` have. Raises ValueError when their lengths differ."""
    days = len(pages[0].deep) if pages else 0
    for page in pages:
        if not len(page.deep) == len(page.general) == len(page.returns) == days:
            raise ValueError("every page needs a number for each day")
    return days
