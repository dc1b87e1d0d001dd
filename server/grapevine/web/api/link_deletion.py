"""``DELETE /v1/links``: deletes one minted link, or all of a campaign or an external id."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from grapevine.api_schemas.links import DeletedLinks, DeleteLinksQuery, LinkPath
from grapevine.errors import BadSignatureProblem, Invalid, NotATokenProblem, NotFound
from grapevine.links.deletion import delete_links
from grapevine.links.finding import MOST_LISTED, NamesAsked, find_link, find_links
from grapevine.store.repositories.links import LinkRow
from grapevine.web.api.auth import check_scope
from grapevine.web.api.call import SiteCall
from grapevine.web.api.links import visit_of
from grapevine.web.api.operation import Operation, ResponseSpec


async def delete_link(call: SiteCall, path: LinkPath) -> None:
    """Deletes one link, with all of its places.

    The token of a place or of a QR code names its whole link. Names, clicks and previews go, the short links lead to
    the site's home page, and the word goes to no other site for 90 days. What came through the link stays in the tree.
    A link with a word needs a key of scope `admin`.
    """
    row = await find_link(call.state.store.links, call.site.site_id, visit_of(call, path))
    _check_words(call, [row])
    await delete_links(call.state.eraser, [row])


async def delete_named_links(call: SiteCall, query: DeleteLinksQuery) -> DeletedLinks:
    """Deletes the links of a campaign, or with an external id.

    Up to 1,000 at a time: repeat the call while `more` is true. It may be repeated at any time, and goes on where it
    was interrupted. Name exactly one of the two. A link with a word needs a key of scope `admin`; without one nothing
    of the 1,000 is deleted among which there is one.
    """
    if (query.campaign is None) == (query.external_id is None):
        raise Invalid.of("campaign", "or `external_id` has to be given: exactly one of the two")
    state, names = call.state, NamesAsked(external_id=query.external_id, campaign=query.campaign)
    found = await find_links(state.store.links, state.nonces, call.site.site_id, names, MOST_LISTED)
    _check_words(call, found.rows)
    return DeletedLinks(deleted=await delete_links(state.eraser, found.rows), more=found.next is not None)


def _check_words(call: SiteCall, links: Iterable[LinkRow]) -> None:
    """Raises Forbidden for a link with a word, unless the key has the scope ``admin``."""
    if any(link.word is not None for link in links):
        check_scope(call.key, "admin")


OPERATIONS: Final = [
    Operation(
        method="DELETE",
        path="/v1/links/{token}",
        handler=delete_link,
        tag="links",
        scope="write",
        path_params=LinkPath,
        responses={204: ResponseSpec(text="It is deleted.")},
        problems=(NotATokenProblem, BadSignatureProblem, NotFound),
    ),
    Operation(
        method="DELETE",
        path="/v1/links",
        handler=delete_named_links,
        tag="links",
        scope="write",
        query=DeleteLinksQuery,
        responses={200: ResponseSpec(DeletedLinks, "How many were deleted.")},
    ),
]
