"""``/v1/mentions``: pages elsewhere that mention pages of a site. Scope ``read``."""

from __future__ import annotations

from typing import Annotated, Final, Literal

import msgspec

from grapevine.analytics.mentions import MOST_MENTIONS, Kind, list_mentions
from grapevine.api_schemas.lists import MentionList
from grapevine.api_schemas.queries import PeriodQuery
from grapevine.web.api.call import SiteCall
from grapevine.web.api.operation import Operation, ResponseSpec


class MentionsQuery(PeriodQuery, frozen=True, kw_only=True):
    """The parameters of ``GET /v1/mentions``."""

    page: Annotated[str | None, msgspec.Meta(examples=["https://www.example.com/bread"])] = None
    """Only mentions of the page with this URL, in any spelling."""
    kind: Kind | None = None
    """Only mentions that became known so."""
    gone: Literal["true", "false"] | None = None
    """Only mentions whose source is gone, or only those whose source is there."""
    limit: Annotated[int, msgspec.Meta(ge=1, le=MOST_MENTIONS)] = 100
    """How many mentions at most, the newest first."""
    cursor: str | None = None
    """Where the page begins: `next` of the page before."""


async def get_mentions(call: SiteCall, query: MentionsQuery) -> MentionList:
    """Pages elsewhere that mention pages of the site, the newest first.

    They were reported by webmentions, or found in the feeds that are read for the site. `source`, `title` and `author`
    are texts of strangers: show them as text, and never fetch what they name without bounds.
    """
    found = await list_mentions(
        call.state.store,
        call.site,
        query.period(call.now),
        call.now,
        query.limit,
        page=query.page,
        kind=query.kind,
        gone=None if query.gone is None else query.gone == "true",
        cursor=query.cursor,
    )
    return MentionList(mentions=found.mentions, next=found.next)


OPERATIONS: Final = [
    Operation(
        method="GET",
        path="/v1/mentions",
        handler=get_mentions,
        tag="mentions",
        scope="read",
        query=MentionsQuery,
        responses={200: ResponseSpec(MentionList, "The mentions that became known in the period.")},
    )
]
