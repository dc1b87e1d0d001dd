"""Where a visit is placed in its cascade."""

from __future__ import annotations

from typing import Final, NamedTuple

from grapevine.domain.enums import SOURCES, TOKEN_REASONS
from grapevine.domain.events import VisitEvent
from grapevine.store.rows import ASIDE, SAME_NETWORK, THROUGH_LINK, VisitRow

_UNKNOWN_VISIT: Final = TOKEN_REASONS["unknown-visit"]
_SHARE: Final = SOURCES["share"]
_LINK: Final = SOURCES["link"]


class Placement(NamedTuple):
    """The columns of a visit's row that its share token decides. A visit without a good token is a root: the defaults.

    ``parent_id`` is the visit that it hangs on, ``via_id`` the sharer where that is another one.
    """

    source: int
    reason: int | None
    channel: int | None = None
    n: int | None = None
    via_id: int | None = None
    parent_id: int | None = None
    root_id: int | None = None
    depth: int = 0
    flags: int = 0


def place(event: VisitEvent, sharer: VisitRow | None) -> Placement:
    """Returns where a visit hangs whose token, if it has one, names the visit ``sharer``; None where that is gone."""
    token = event.token
    if token is None:
        return Placement(source=event.source, reason=event.reason)
    if sharer is None:
        return Placement(source=event.source, reason=_UNKNOWN_VISIT)
    parent_id = sharer.hangs_on
    is_aside = event.own or event.verdict is not None
    same_network = sharer.visitor is not None and sharer.visitor in (event.visitor, event.visitor_before)
    return Placement(
        source=_SHARE,
        reason=event.reason,
        channel=token.channel,
        n=token.n,
        via_id=None if parent_id == sharer.visit_id else sharer.visit_id,
        parent_id=parent_id,
        root_id=sharer.root,
        depth=sharer.depth if is_aside else sharer.depth + 1,
        flags=(ASIDE if is_aside else 0)
        | (SAME_NETWORK if same_network else 0)
        | (THROUGH_LINK if sharer.source == _LINK else 0),
    )
