"""The shares that led to a conversion, as a receipt names them: who made each, by which channel, and its credit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from grapevine.domain import channels, ids
from grapevine.domain.enums import SOURCES
from grapevine.domain.money import decimal
from grapevine.domain.networks import WIDE_SHIFT
from grapevine.receipts.document import ReceiptHop
from grapevine.receipts.pseudonyms import pseudonym
from grapevine.referrals.credit import Hop, credit_hops
from grapevine.referrals.marks import SAME_VISITOR, SELF, ChainVisit, chain_marks
from grapevine.store.rows import VisitRow

RULE: Final = "binomial-half/1"
"""``credit_hops`` with one half passed on, of the whole amount."""

_LINK: Final = SOURCES["link"]


class Passing(NamedTuple):
    """One share on the way to a conversion: the visit that came through it, and who made it. ``generation`` counts from
    1 at the conversion; ``credit`` is in millionths."""

    visit: VisitRow
    sharer_id: int
    channel: int
    generation: int
    credit: int | None


def passings(chain: Sequence[VisitRow], stored: Mapping[int, VisitRow], amount: int | None) -> list[Passing]:
    """Returns the shares on the way to the last visit of ``chain``, the nearest first, and what each is credited with
    of ``amount`` (millionths).

    ``stored`` are the visits that made them, by id. Left out, and credited to none, are shares by visits that were
    erased, and those through which such a visit came.
    """
    brought = [visit for visit in reversed(chain) if visit.parent_id is not None]
    hops = [Hop(depth=visit.depth, channel="", referrer=None) for visit in brought]
    credited = credit_hops(hops, amount or 0)
    found = []
    for generation, (visit, hop) in enumerate(zip(brought, credited, strict=True), 1):
        sharer = None if visit.sharer_id is None else stored.get(visit.sharer_id)
        if sharer is None or sharer.is_erased or visit.is_erased or visit.channel is None:
            continue
        credit = None if amount is None else hop.amount
        found.append(Passing(visit, sharer.visit_id, visit.channel, generation, credit))
    return found


def receipt_hops(passed: Sequence[Passing], salt: str) -> list[ReceiptHop]:
    """Returns the shares as a receipt says them, with pseudonyms under its own key."""
    return [
        ReceiptHop(
            sharer=pseudonym(salt, each.sharer_id),
            channel=channels.NAMES[each.channel],
            day=ids.day_date(ids.day_at(each.visit.at)).isoformat(),
            generation=each.generation,
            marks=_marks_of_hop(each.visit),
            credit=None if each.credit is None else decimal(each.credit),
        )
        for each in passed
    ]


def marks_of_chain(chain: Sequence[VisitRow]) -> list[str]:
    """Returns what was noticed of the whole way to a conversion."""
    visits = [
        ChainVisit(
            at=visit.at,
            day=ids.day_at(visit.at),
            visitor=visit.visitor,
            network=None if visit.network is None else visit.network >> WIDE_SHIFT,
            is_self=visit.is_self,
            is_same_visitor=visit.is_same_network,
        )
        for visit in chain
        if visit.source != _LINK and not visit.is_erased
    ]
    return sorted(chain_marks(visits))


def _marks_of_hop(visit: VisitRow) -> list[str]:
    noticed = ((SELF, visit.is_self), (SAME_VISITOR, visit.is_same_network))
    marks = [mark for mark, is_so in noticed if is_so]
    return marks if visit.verdict_name is None else [*marks, visit.verdict_name]
