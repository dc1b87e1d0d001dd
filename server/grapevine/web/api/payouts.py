"""``/v1/payouts``: what a referral programme owes its referrers for a period."""

from __future__ import annotations

from typing import Annotated, Final

import msgspec

from grapevine.api_schemas.queries import PeriodQuery
from grapevine.errors import Busy
from grapevine.links.schemas import MOST_CHARACTERS
from grapevine.referrals.answers import Payouts
from grapevine.referrals.marks import MARKS
from grapevine.referrals.payouts import MOST_REFERRERS, Question
from grapevine.referrals.terms import MOST_NETWORKS, terms_of
from grapevine.web.api.call import SiteCall
from grapevine.web.api.operation import Operation, ResponseSpec

_PART: Final = "^(0|1|0?\\.[0-9]{1,6}|1\\.0{1,6})$"


class PayoutQuery(PeriodQuery, frozen=True, kw_only=True):
    """The parameters of ``GET /v1/payouts``."""

    campaign: Annotated[str, msgspec.Meta(min_length=1, max_length=MOST_CHARACTERS, examples=["friends"])] | None = None
    """Only referrers whose links are of this campaign."""
    goal: Annotated[str | None, msgspec.Meta(examples=["order"])] = None
    """Only conversions of this goal."""
    rate: Annotated[str, msgspec.Meta(examples=["0.1"], pattern=_PART)] | None = None
    """The budget of a conversion: this part of its value. Without `rate` and `fixed` it is `0.1`."""
    fixed: Annotated[str, msgspec.Meta(examples=["5.00"], pattern="^[0-9]{1,7}(\\.[0-9]{1,6})?$")] | None = None
    """The budget of a conversion: this amount, in `currency`."""
    currency: Annotated[str, msgspec.Meta(examples=["EUR"], pattern="^[A-Za-z]{3}$")] | None = None
    """The currency of `fixed` (ISO 4217)."""
    pass_on: Annotated[str, msgspec.Meta(examples=["0.5"], pattern=_PART)] | None = None
    """The part of a credit that goes to the hop before; `0.5` without it."""
    hold: Annotated[int, msgspec.Meta(ge=0, le=len(MARKS))] = 2
    """How many marks hold a payment back; `0` holds none."""
    networks: Annotated[int, msgspec.Meta(ge=1, le=MOST_NETWORKS)] = 6
    """How many networks somebody who cheats is thought to have at hand."""
    limit: Annotated[int, msgspec.Meta(ge=1, le=MOST_REFERRERS)] = 100
    """How many referrers at most."""
    cursor: str | None = None
    """Where the page begins: `next` of the page before."""


async def get_payouts(call: SiteCall, query: PayoutQuery) -> Payouts:
    """What a referral programme owes its referrers for a period.

    A referrer is a person whose minted link has an `external_id`. Only conversions that a server reported with a key
    count, and refunds are taken off. Each conversion is credited over the hops of its chain, never more than its
    budget; a payment is held back where several marks speak against it. Each page has the totals of all referrers.
    Pages that are asked for within a minute of the first are cut from one reading. A server reads one list at a time
    while a few calls wait; a further one is refused with 503 and `Retry-After`.
    """
    terms = terms_of(
        rate=query.rate,
        fixed=query.fixed,
        currency=query.currency,
        pass_on=query.pass_on,
        hold=query.hold,
        networks=query.networks,
    )
    asked = Question(period=query.period(call.now), terms=terms, goal=query.goal, campaign=query.campaign)
    return await call.state.payout_readings.page(call.request, call.site, asked, query.limit, query.cursor)


OPERATIONS: Final = [
    Operation(
        method="GET",
        path="/v1/payouts",
        handler=get_payouts,
        tag="statistics",
        scope="read",
        query=PayoutQuery,
        responses={200: ResponseSpec(Payouts, "The referrers of the page, and the totals of all.")},
        problems=(Busy,),
    ),
]
