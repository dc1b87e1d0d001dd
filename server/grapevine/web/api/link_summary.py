"""``/v1/links/summary``: what the links of a campaign brought together."""

from __future__ import annotations

from typing import Annotated, Final

import msgspec

from grapevine.analytics.links import CampaignSummary
from grapevine.errors import Busy
from grapevine.links.schemas import MOST_CHARACTERS
from grapevine.web.api.call import SiteCall
from grapevine.web.api.operation import Operation, ResponseSpec


class CampaignQuery(msgspec.Struct, frozen=True, kw_only=True):
    """The parameters of ``GET /v1/links/summary``."""

    campaign: Annotated[str, msgspec.Meta(min_length=1, max_length=MOST_CHARACTERS, examples=["spring mailing"])]
    """The campaign, as its links were given it."""


async def get_links_summary(call: SiteCall, query: CampaignQuery) -> CampaignSummary:
    """What all links of a campaign brought together, and how far they were forwarded.

    `generations` is the forward depth of a mailing: its first entry are those who opened a link, the second those who
    came through what the first shared. A campaign has at most 250,000 links here. A server adds up one campaign at a
    time while a few calls wait; a further one is refused with 503 and `Retry-After`.
    """
    return await call.state.campaign_summaries.read(call.request, call.site, query.campaign)


OPERATIONS: Final = [
    Operation(
        method="GET",
        path="/v1/links/summary",
        handler=get_links_summary,
        tag="links",
        scope="read",
        query=CampaignQuery,
        responses={200: ResponseSpec(CampaignSummary, "The sums. An unknown campaign has no links.")},
        problems=(Busy,),
    ),
]
