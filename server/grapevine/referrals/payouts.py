"""Pay-outs of a period: reads conversions, their chains and the reach of links, and settles them by the terms.

Only what a server reported with a key counts: what a browser says of a purchase anybody may say.
"""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Final, NamedTuple

import msgspec

from grapevine.analytics.models.attribution import number
from grapevine.domain import channels, cursors, ids, money
from grapevine.domain.enums import CONVERSION_REPORTERS
from grapevine.domain.periods import Period, rfc3339
from grapevine.errors import Invalid
from grapevine.referrals.answers import HeldConversion, PayoutGeneration, PayoutRule, Payouts, ReferrerPayout
from grapevine.referrals.credit import Hop
from grapevine.referrals.marks import ChainVisit, ReferrerReach, chain_marks, reaches_of
from grapevine.referrals.settling import ReferredConversion, Settled, settle
from grapevine.referrals.terms import Terms
from grapevine.sites.cache import Site
from grapevine.store.readers.payouts import PayableConversion, ReferralVisit
from grapevine.store.readers.reads import Reads
from grapevine.store.repositories.links import LinkRow

MOST_CONVERSIONS: Final = 100_000
MOST_REFERRERS: Final = 1_000
MOST_HELD_SHOWN: Final = 20
"""Held conversions of a referrer that are listed one by one."""
LOOK_BACK_MS: Final = 30 * ids.DAY_MS
_MOST_STEPS: Final = 1_000
_AT_ONCE: Final = 1_000
_BY_KEY: Final = CONVERSION_REPORTERS["key"]

Pause = Callable[[], Awaitable[None]]


class _Position(NamedTuple):
    """The referrer behind whom a page begins."""

    external_id: str


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """Whose pay-outs are asked for. All pages of a list have the same question."""

    period: Period
    terms: Terms
    goal: str | None = None
    campaign: str | None = None

    def name(self, site: Site) -> str:
        """What its cursors are marked with."""
        return cursors.question("payouts", site.key, self.period, self.terms, self.goal, self.campaign)

    def after(self, site: Site, cursor: str | None) -> str | None:
        """Returns the referrer behind whom a page begins. Raises Invalid for the cursor of another question."""
        return None if cursor is None else cursors.read(cursor, self.name(site), _Position).external_id


class PayoutReading(msgspec.Struct, frozen=True, kw_only=True):
    """All referrers of a question, from which its pages are cut."""

    whole: Payouts
    """The totals and all referrers, whose generations have conversions alone."""
    links: dict[str, list[int]]
    """The visits of each referrer's links."""


async def _pause() -> None:
    await asyncio.sleep(0)


async def read_payouts(reads: Reads, site: Site, asked: Question, pause: Pause = _pause) -> PayoutReading:
    """Returns what the referrers of a site earned in a period. Calls ``pause`` between pieces of work.

    Raises Invalid for more than 100,000 conversions, and what ``pause`` raises.
    """
    site_id, start, end = site.site_id, asked.period.start, asked.period.end
    found = await reads.payouts.conversions(site_id, start, end, _BY_KEY, asked.goal, MOST_CONVERSIONS + 1)
    if len(found) > MOST_CONVERSIONS:
        raise Invalid.of("from", f"begins a period with more than {MOST_CONVERSIONS} conversions; ask for less")
    links = await _links(reads, site_id, {one.visit_id for one in found}, asked.campaign, pause)
    found = [one for one in found if one.visit_id in links]
    before = await _taken_back_later(reads, site_id, found, pause)
    visits = await _with_sharers(reads, site_id, {one.visit_id for one in found}, pause)
    referred = await asyncio.to_thread(_referred, found, before, links, visits)
    owned: dict[str, set[int]] = defaultdict(set)
    for link in links.values():
        owned[str(link.external_id)].add(link.visit_id)
    reach = await _reach(reads, site_id, owned, start - LOOK_BACK_MS, end, asked.terms, pause)
    settled = await asyncio.to_thread(settle, referred, reach, asked.terms)
    await pause()
    return PayoutReading(
        whole=await asyncio.to_thread(_whole, settled, reach, asked.terms),
        links={name: sorted(ids_of) for name, ids_of in owned.items()},
    )


async def page_of(
    reads: Reads,
    site: Site,
    asked: Question,
    reading: PayoutReading,
    limit: int | None = None,
    after: str | None = None,
    pause: Pause = _pause,
) -> Payouts:
    """Returns all referrers of a reading, or ``limit`` of them behind the one that is named ``after``."""
    following = [each for each in reading.whole.referrers if after is None or each.external_id > after]
    listed = following if limit is None else following[:limit]
    names = [each.external_id for each in listed]
    visits = await _generations(reads, site.site_id, {name: reading.links[name] for name in names}, pause)
    more = len(following) > len(listed)
    return msgspec.structs.replace(
        reading.whole,
        referrers=[_with_visits(each, visits[each.external_id]) for each in listed],
        next=cursors.written(asked.name(site), _Position(external_id=names[-1])) if more else None,
    )


def _whole(settled: Sequence[Settled], reach: Mapping[str, ReferrerReach], terms: Terms) -> Payouts:
    by_referrer: dict[str, list[Settled]] = defaultdict(list)
    for row in settled:
        by_referrer[row.conversion.referrer].append(row)
    return Payouts(
        rule=_rule(terms),
        conversions=_bought(settled),
        value=_worth(settled),
        credited=_earned(settled, held=False),
        held=_earned(settled, held=True),
        referrers=[_payout(name, by_referrer[name], reach[name]) for name in sorted(by_referrer)],
    )


async def _links(
    reads: Reads, site_id: int, visits: Iterable[int], campaign: str | None, pause: Pause
) -> dict[int, LinkRow]:
    """Returns the minted link with a name from which each visit grew; leaves out visits that grew from none."""
    wanted, found = sorted(visits), dict[int, LinkRow]()
    for start in range(0, len(wanted), _AT_ONCE):
        found |= await reads.links.at_roots(site_id, wanted[start : start + _AT_ONCE])
        await pause()
    return {
        visit: link
        for visit, link in found.items()
        if link.external_id is not None and campaign in (None, link.campaign)
    }


async def _taken_back_later(
    reads: Reads, site_id: int, found: Sequence[PayableConversion], pause: Pause
) -> dict[tuple[int, str, str | None], PayableConversion]:
    """Returns the conversions of those visits that have refunds, by visit, goal and id."""
    visits = sorted({one.visit_id for one in found if one.refund_of is not None})
    rows: list[PayableConversion] = []
    for start in range(0, len(visits), _AT_ONCE):
        rows += await reads.payouts.conversions_of(site_id, visits[start : start + _AT_ONCE])
        await pause()
    return {(row.visit_id, row.goal, row.external_id): row for row in rows if row.external_id is not None}


async def _with_sharers(reads: Reads, site_id: int, visits: set[int], pause: Pause) -> dict[int, ReferralVisit]:
    """Returns the visits and everything above them, one step of all chains at a time."""
    known: dict[int, ReferralVisit] = {}
    wanted = visits
    for _ in range(_MOST_STEPS):
        if not wanted:
            break
        ordered, above = sorted(wanted), set[int]()
        for start in range(0, len(ordered), _AT_ONCE):
            found = await reads.payouts.visits(site_id, ordered[start : start + _AT_ONCE])
            known |= found
            above |= {step for one in found.values() for step in (one.parent_id, one.via_id) if step is not None}
            await pause()
        wanted = above - known.keys() - wanted
    return known


def _referred(
    found: Sequence[PayableConversion],
    before: Mapping[tuple[int, str, str | None], PayableConversion],
    links: Mapping[int, LinkRow],
    visits: Mapping[int, ReferralVisit],
) -> list[ReferredConversion]:
    referred = []
    for one in found:
        visit = visits.get(one.visit_id)
        if visit is None or visit.verdict is not None:
            continue
        link = links[one.visit_id]
        chain = _chain(visit, visits)
        origin = before.get((one.visit_id, one.goal, one.refund_of)) if one.refund_of is not None else None
        made = _conversion(one, str(link.external_id), visit, chain, visits)
        if origin is not None:
            made = _with_origin(made, _conversion(origin, str(link.external_id), visit, chain, visits))
        referred.append(made)
    return referred


def _conversion(
    one: PayableConversion,
    referrer: str,
    visit: ReferralVisit,
    chain: Sequence[ReferralVisit],
    visits: Mapping[int, ReferralVisit],
) -> ReferredConversion:
    passed = [step for step in chain if step.is_return]
    last = len(passed) - 1
    return ReferredConversion(
        referrer=referrer,
        key=(one.visit_id, one.goal, one.event_key),
        name=one.external_id,
        at=one.at,
        value=one.value,
        currency=one.currency,
        hops=tuple(
            Hop(
                depth=step.depth,
                channel=channels.NAMES[step.channel or 0],
                referrer=referrer if index == last else None,
            )
            for index, step in enumerate(passed)
        ),
        marks=frozenset(chain_marks(_compared(chain, visits))),
        day=ids.day_at(visit.at),
        network=visit.wide_network,
        refunds=one.refund_of,
    )


def _with_origin(refund: ReferredConversion, origin: ReferredConversion) -> ReferredConversion:
    return ReferredConversion(
        **{name: getattr(refund, name) for name in refund.__struct_fields__ if name != "refunded"}, refunded=origin
    )


def _chain(visit: ReferralVisit, visits: Mapping[int, ReferralVisit]) -> list[ReferralVisit]:
    """Returns the visits from the buyer's up to the first one below the link."""
    chain: list[ReferralVisit] = []
    step: ReferralVisit | None = visit
    while step is not None and step.parent_id is not None and len(chain) < _MOST_STEPS:
        chain.append(step)
        step = visits.get(step.parent_id)
    return chain


def _compared(chain: Sequence[ReferralVisit], visits: Mapping[int, ReferralVisit]) -> list[ChainVisit]:
    """Returns the visits of a chain and the self-returns through which it went."""
    through = {via.visit_id: via for step in chain if step.via_id is not None and (via := visits.get(step.via_id))}
    each = {step.visit_id: step for step in chain} | through
    return [
        ChainVisit(
            at=step.at,
            day=ids.day_at(step.at),
            visitor=step.visitor,
            network=step.wide_network,
            is_self=step.is_self,
            is_same_visitor=step.is_same_visitor,
        )
        for step in each.values()
    ]


async def _reach(
    reads: Reads, site_id: int, owned: Mapping[str, set[int]], start: int, end: int, terms: Terms, pause: Pause
) -> dict[str, ReferrerReach]:
    """Returns the reach of each referrer."""
    networks: dict[str, list[tuple[int, int, int]]] = {name: [] for name in owned}
    for names in _some(owned):
        owner = {link: name for name in names for link in owned[name]}
        for one in await reads.payouts.networks(site_id, sorted(owner), start, end):
            networks[owner[one.link]].append((one.day, one.network, one.visits))
        await pause()
    return await asyncio.to_thread(reaches_of, networks, terms.limits)


async def _generations(
    reads: Reads, site_id: int, links: Mapping[str, Sequence[int]], pause: Pause
) -> dict[str, Counter[int]]:
    found: dict[str, Counter[int]] = {name: Counter() for name in links}
    for names in _some(links):
        owner = {link: name for name in names for link in links[name]}
        for link, depth, visits in await reads.links.generations(site_id, sorted(owner)):
            found[owner[link]][depth] += visits
        await pause()
    return found


def _some(owned: Mapping[str, Iterable[int]]) -> Iterable[list[str]]:
    """Yields the names in groups with about a hundred links, those of one name together."""
    group: list[str] = []
    links = 0
    for name, its_links in owned.items():
        group.append(name)
        links += len(list(its_links))
        if links >= _AT_ONCE // 10:
            yield group
            group, links = [], 0
    if group:
        yield group


def _payout(name: str, rows: Sequence[Settled], reach: ReferrerReach) -> ReferrerPayout:
    bought = [row for row in rows if row.conversion.refunds is None]
    depths = Counter(min(row.conversion.hops[0].depth, 63) for row in bought if row.conversion.hops)
    return ReferrerPayout(
        external_id=name,
        conversions=len(bought),
        refunds=len(rows) - len(bought),
        value=_worth(rows),
        credited=_earned(rows, held=False),
        held=_earned(rows, held=True),
        held_conversions=sum(row.held for row in bought),
        held_first=[_held(row) for row in bought if row.held][:MOST_HELD_SHOWN],
        marks=dict(sorted(Counter(mark for row in bought for mark in row.marks).items())),
        network_days=reach.network_days,
        generations=[
            PayoutGeneration(depth=depth, visits=0, conversions=number_of) for depth, number_of in depths.items()
        ],
    )


def _with_visits(payout: ReferrerPayout, visits: Counter[int]) -> ReferrerPayout:
    bought = {each.depth: each.conversions for each in payout.generations}
    generations = [
        PayoutGeneration(depth=depth, visits=visits[depth], conversions=bought.get(depth, 0))
        for depth in sorted(visits.keys() | bought.keys())
    ]
    return msgspec.structs.replace(payout, generations=generations)


def _held(row: Settled) -> HeldConversion:
    one = row.conversion
    return HeldConversion(
        id=one.name,
        goal=one.key[1],
        at=rfc3339(one.at),
        visit=ids.visit_text(one.key[0]),
        held=money.amounts([(row.currency, row.credited)]),
        marks=list(row.marks),
    )


def _bought(rows: Iterable[Settled]) -> int:
    return sum(row.conversion.refunds is None for row in rows)


def _worth(rows: Iterable[Settled]) -> money.Amounts:
    return money.amounts((row.conversion.currency, row.conversion.value) for row in rows)


def _earned(rows: Iterable[Settled], *, held: bool) -> money.Amounts:
    return money.amounts((row.currency, row.credited) for row in rows if row.held is held)


def _rule(terms: Terms) -> PayoutRule:
    return PayoutRule(
        rate=None if terms.rate is None else number(terms.rate),
        fixed=money.amounts([(terms.currency, terms.fixed)]),
        pass_on=number(terms.passed_on),
        hold=terms.hold_at,
        networks=terms.limits.assumed_networks,
    )
