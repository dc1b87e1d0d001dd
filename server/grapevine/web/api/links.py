"""``/v1/links``: makes minted links, and finds them."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Sequence
from typing import Final

import msgspec
from starlette.responses import Response

from grapevine.analytics.links import link_numbers, link_totals
from grapevine.api_schemas.links import LinkList, LinkPath, LinkReport, LinksQuery, listed, reported
from grapevine.domain.token_urls import leading_token
from grapevine.domain.tokens import BadSignature, NotAToken
from grapevine.errors import BadSignatureProblem, Conflict, NotATokenProblem, NotFound
from grapevine.links.answers import LinkAddresses, addresses, minted_link
from grapevine.links.finding import NamesAsked, find_link, find_links
from grapevine.links.minting import made_before, mint
from grapevine.links.new_links import check_links
from grapevine.links.schemas import MintedLink, MintedLinks, NewLink, NewLinks
from grapevine.links.taken_words import WordsRefused
from grapevine.store.repositories.links import LinkRow
from grapevine.web.api.auth import check_scope
from grapevine.web.api.call import SiteCall
from grapevine.web.api.once import HEADER, Keep, answered_once, identity_of
from grapevine.web.api.operation import Operation, RequestBody, ResponseSpec
from grapevine.web.public_address import public_address

MAX_BODY: Final = 1 << 20
_NONCE_BYTES: Final = 16
_AT_ONCE: Final = 50
"""Links whose tokens are signed before other requests get their turn: with seven places each, some milliseconds."""


class _Recipe(msgspec.Struct, frozen=True, kw_only=True):
    """What is kept of an answer: with the request, from which the ids of its links come, it makes the same answer
    again. A thousand links would be 300 KB."""

    at: int
    attempt: int
    addresses: LinkAddresses


async def make_links(call: SiteCall, body: NewLink | NewLinks) -> Response:
    """Makes a link, or up to 1,000 links at once.

    A link is a node of the tree of shares: visits that come through it, and through what those visitors share, hang on
    it. Of several links, `{"links": […]}`, all are made or none. Send an `Idempotency-Key` to be able to repeat the
    call. A `word` needs a key of scope `admin`. A site makes at most 250,000 links a day. Calls that are refused for
    their words may have 2,000 words an hour together.
    """
    state, site, now = call.state, call.site, call.now
    is_list = isinstance(body, NewLinks)
    wanted = body.links if isinstance(body, NewLinks) else [body]
    words = sum(each.word is not None for each in wanted)
    if words:
        check_scope(call.key, "admin")
    identity = identity_of(call, body)
    nonce = secrets.token_hex(_NONCE_BYTES) if identity is None else f"{call.key.key_id} {identity.digest}"
    to = link_addresses(call)

    async def make(keep: Keep) -> msgspec.Struct:
        checked = await check_links(site, wanted, now, is_list=is_list)
        await state.link_bound.take(site.site_id, len(checked))
        try:
            with state.refused_words.asking(site.site_id, words):
                rows = await mint(
                    state.store,
                    state.nonces,
                    site,
                    checked,
                    now,
                    nonce,
                    lambda attempt: keep(site.site_id, _Recipe(at=now, attempt=attempt, addresses=to)),
                )
        except WordsRefused as error:
            raise error.problem(is_list=is_list) from None
        return await _answer(call, to, rows, is_list=is_list)

    async def remake(kept: str) -> msgspec.Struct:
        recipe = msgspec.json.decode(kept, type=_Recipe)
        rows = await made_before(state.store, state.nonces, site, len(wanted), recipe.at, nonce, recipe.attempt)
        return await _answer(call, recipe.addresses, rows, is_list=is_list)

    return await answered_once(call, body, 201, make, remake)


async def list_links(call: SiteCall, query: LinksQuery) -> LinkList:
    """The links of the site with what they brought, those of the newest day first.

    With `external_id`, `label` or `campaign` they are those that have all of these names.
    """
    names = NamesAsked(query.external_id, query.label, query.campaign)
    found = await find_links(
        call.state.store.links, call.state.nonces, call.site.site_id, names, query.limit, query.cursor
    )
    links = await _minted(call, link_addresses(call), found.rows)
    totals = await link_totals(call.reads, call.site, [row.visit_id for row in found.rows])
    return LinkList(
        links=[listed(link, totals[row.visit_id]) for link, row in zip(links, found.rows, strict=True)],
        next=found.next,
    )


async def get_link(call: SiteCall, path: LinkPath) -> LinkReport:
    """One link and what it brought: clicks, returns, and what grew from these in further generations."""
    row = await find_link(call.state.store.links, call.site.site_id, visit_of(call, path))
    numbers = await link_numbers(call.reads, call.site, row)
    return reported(minted_link(link_addresses(call), call.site.tokens, row), numbers)


def visit_of(call: SiteCall, path: LinkPath) -> int:
    """Returns the node that a path names. Raises NotATokenProblem, BadSignatureProblem."""
    try:
        return call.site.tokens.visit_named(leading_token(path.token))
    except NotAToken as error:
        raise NotATokenProblem(f"Neither a token nor the id of a link: {error}.") from None
    except BadSignature as error:
        raise BadSignatureProblem(f"Not a token of this site: {error}.") from None


def link_addresses(call: SiteCall) -> LinkAddresses:
    """Returns how the URLs of the site's links are written in an answer to this call."""
    settings = call.state.settings
    return addresses(call.site.row, public_address(call.request, settings), settings.prefix, call.now)


async def _answer(call: SiteCall, to: LinkAddresses, rows: Sequence[LinkRow], *, is_list: bool) -> msgspec.Struct:
    links = await _minted(call, to, rows)
    return MintedLinks(links=links) if is_list else links[0]


async def _minted(call: SiteCall, to: LinkAddresses, rows: Sequence[LinkRow]) -> list[MintedLink]:
    made: list[MintedLink] = []
    for start in range(0, len(rows), _AT_ONCE):
        made += [minted_link(to, call.site.tokens, row) for row in rows[start : start + _AT_ONCE]]
        await asyncio.sleep(0)
    return made


_OF_LINK: Final = ("get_link",)

OPERATIONS: Final = [
    Operation(
        method="POST",
        path="/v1/links",
        handler=make_links,
        tag="links",
        scope="write",
        body=RequestBody((NewLink, NewLinks), MAX_BODY),
        responses={
            201: ResponseSpec(
                (MintedLink, MintedLinks),
                "The link, or all of them in the order of the request.",
                links={name: {"token": "/token"} for name in _OF_LINK},
            )
        },
        problems=(Conflict,),
        request_headers=(HEADER,),
    ),
    Operation(
        method="GET",
        path="/v1/links",
        handler=list_links,
        tag="links",
        scope="read",
        query=LinksQuery,
        responses={200: ResponseSpec(LinkList, "The links.")},
    ),
    Operation(
        method="GET",
        path="/v1/links/{token}",
        handler=get_link,
        tag="links",
        scope="read",
        path_params=LinkPath,
        responses={200: ResponseSpec(LinkReport, "The link.")},
        problems=(NotATokenProblem, BadSignatureProblem, NotFound),
    ),
]
