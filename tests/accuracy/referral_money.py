"""What a programme pays in a simulated world: to cheats, and less than they earned to honest referrers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final, NamedTuple

from grapevine.domain import ids
from grapevine.referrals.credit import Hop
from grapevine.referrals.marks import ChainVisit, ReachLimits, ReferrerReach, chain_marks, reaches_of
from grapevine.referrals.settling import ReferredConversion, Settled, settle
from grapevine.referrals.terms import Terms
from tests.accuracy.referral_worlds import Referrer

LIMITS: Final = ReachLimits()


class Money(NamedTuple):
    """Parts of a world's money: paid to cheats, of all that was paid; held of what honest referrers earned."""

    to_cheats: float
    from_honest: float
    kinds: Counter[str]
    """What each kind of cheat was paid, in millionths, and what they asked for (``kind/asked``)."""
    total: int


def facts(
    world: Sequence[Referrer], limits: ReachLimits = LIMITS
) -> tuple[list[ReferredConversion], dict[str, ReferrerReach]]:
    """Returns what the store of a server would hold of a world, without a server."""
    hashes: dict[object, int] = {}
    conversions: list[ReferredConversion] = []
    networks: dict[str, list[tuple[int, int, int]]] = {}
    for number, referrer in enumerate(world):
        visits = referrer.visits
        if not visits:
            continue
        chains: list[tuple[ChainVisit, ...]] = []
        hanging: list[int | None] = []
        depths: list[int] = []
        for visit in visits:
            day = ids.day_at(visit.at)
            sharer = None if visit.parent is None else visits[visit.parent]
            visitor = hashes.setdefault((day, visit.address, visit.agent), len(hashes))
            known = ChainVisit(
                at=visit.at,
                day=day,
                visitor=visitor,
                network=hashes.setdefault((day, visit.address), len(hashes)),
                is_self=visit.own,
                is_same_visitor=sharer is not None
                and (sharer.address, sharer.agent) == (visit.address, visit.agent)
                and day - ids.day_at(sharer.at) <= 1,
            )
            chains.append((*(chains[visit.parent] if visit.parent is not None else ()), known))
            depths.append((depths[visit.parent] if visit.parent is not None else 0) + (not visit.own))
            hanging.append(visit.parent)
        seen: set[str] = set()
        for index, visit in enumerate(visits):
            for each, bought in enumerate(visit.bought):
                if bought.name in seen:
                    continue
                seen.add(bought.name)
                passed = [one for one in chains[index] if not one.is_self]
                hops = tuple(
                    Hop(
                        depth=len(passed) - at,
                        channel="copy",
                        referrer=referrer.name if at == len(passed) - 1 else None,
                    )
                    for at in range(len(passed))
                )
                buyer = chains[index][-1]
                conversions.append(
                    ReferredConversion(
                        referrer=referrer.name,
                        key=(number * 1_000_000 + index, "order", each),
                        name=bought.name,
                        at=bought.at,
                        value=bought.value,
                        currency="EUR",
                        hops=hops,
                        marks=frozenset(chain_marks(chains[index])),
                        day=buyer.day,
                        network=buyer.network,
                    )
                )
        counted = [chains[index][-1] for index, visit in enumerate(visits) if not visit.own]
        networks[referrer.name] = [(one.day, one.network or 0, 1) for one in counted]
    converting = {one.referrer for one in conversions}
    return conversions, reaches_of({name: networks[name] for name in sorted(converting)}, limits)


def paid(world: Sequence[Referrer], terms: Terms) -> Money:
    """Settles a world and says where its money went."""
    return where(world, settle(*facts(world, terms.limits), terms))


def where(world: Sequence[Referrer], settled: Sequence[Settled]) -> Money:
    """Says where the money of a settled world went."""
    kinds = {referrer.name: referrer.kind for referrer in world}
    went: Counter[str] = Counter()
    for row in settled:
        kind = kinds[row.conversion.referrer]
        went[f"{kind}/asked"] += row.credited
        went[kind] += 0 if row.held else row.credited
    honest, asked = went["honest"], went["honest/asked"]
    total = sum(amount for kind, amount in went.items() if "/" not in kind)
    return Money(
        to_cheats=(total - honest) / max(total, 1),
        from_honest=(asked - honest) / max(asked, 1),
        kinds=went,
        total=total,
    )
