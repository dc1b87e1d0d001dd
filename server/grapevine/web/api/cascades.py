"""``/v1/cascades``: the list of a site's cascades, and one cascade with all its nodes. Scope ``read``."""

from __future__ import annotations

from typing import Annotated, Final

import msgspec

from grapevine.analytics.cascades import (
    MOST_CASCADES,
    MOST_NODES,
    SORTS,
    Cascade,
    CascadePage,
    list_cascades,
    read_cascade,
)
from grapevine.errors import NotFound, UnknownVisit
from grapevine.web.api.call import SiteCall
from grapevine.web.api.operation import Operation, ResponseSpec


class CascadesQuery(msgspec.Struct, frozen=True, kw_only=True):
    """The parameters of ``GET /v1/cascades``."""

    sort: Annotated[str, msgspec.Meta(extra_json_schema={"enum": [*SORTS]})] = "size"
    """Which cascades come first: the largest (`size`), the deepest (`depth`), those with the highest structural
    virality (`virality`), those with the highest value (`value`; amounts of several currencies are added up as
    numbers), or those that grew last (`recent`)."""
    limit: Annotated[int, msgspec.Meta(ge=1, le=MOST_CASCADES)] = 20
    """How many cascades at most."""
    cursor: str | None = None
    """The `next` of the page before; without it, the first page."""


class CascadePath(msgspec.Struct, frozen=True):
    """The path of one cascade."""

    root: Annotated[str, msgspec.Meta(examples=["03Gje856j3P"])]
    """The visit that the cascade grew from."""


async def get_cascades(call: SiteCall, query: CascadesQuery) -> CascadePage:
    """A site's cascades, a page at a time."""
    return await list_cascades(call.state.store, call.site, call.now, query.sort, query.limit, query.cursor)


async def get_cascade(call: SiteCall, path: CascadePath) -> Cascade:
    """One cascade with its nodes, by depth and time.

    These are at most the first 50,000; then `omitted` says how many are left out, and an export has all of them.
    """
    return (await read_cascade(call.state.store, call.site, path.root, call.now)).first(MOST_NODES)


OPERATIONS: Final = [
    Operation(
        method="GET",
        path="/v1/cascades",
        handler=get_cascades,
        tag="cascades",
        scope="read",
        query=CascadesQuery,
        responses={
            200: ResponseSpec(
                CascadePage,
                "The cascades, and the cursor of the next page.",
                links={"get_cascade": {"root": "/cascades/0/root"}},
            )
        },
    ),
    Operation(
        method="GET",
        path="/v1/cascades/{root}",
        handler=get_cascade,
        tag="cascades",
        scope="read",
        path_params=CascadePath,
        responses={200: ResponseSpec(Cascade, "The cascade.")},
        problems=(NotFound, UnknownVisit),
    ),
]
