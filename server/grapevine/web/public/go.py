"""``/go/{word}``: a minted link that can be said, and its QR code."""

from __future__ import annotations

from typing import Final, NamedTuple

from starlette.requests import Request
from starlette.responses import Response

from grapevine.api_schemas.public import FollowQuery, PictureQuery, PixelsQuery
from grapevine.api_schemas.tokens import WordPath
from grapevine.collect.rate_limit import refuse_excess
from grapevine.domain import ids
from grapevine.domain.channels import CODES
from grapevine.domain.tokens import Token
from grapevine.errors import Busy, Invalid, NotFound, RateLimited
from grapevine.links.words import word_key
from grapevine.sites.cache import Site
from grapevine.store.readers.shares import FollowedLink
from grapevine.store.repositories.link_words import LinkOfWord
from grapevine.web.api.operation import HTML, Operation, ResponseSpec
from grapevine.web.public.following import follow_minted
from grapevine.web.public.plain_page import plain_page
from grapevine.web.public.qr import PNG, SVG, at_known_place, draw_png, draw_svg, pixels
from grapevine.web.rate_limits import client_address, limited
from grapevine.web.state import app_state

_NOT_FOUND: Final = """No link has this word, or its link was deleted.
Perhaps it is spelled in another way: look at it once more, or ask the person who said it."""

_KEPT: Final = {"Access-Control-Allow-Origin": "*", "Cache-Control": "public, max-age=300"}
"""A word may be given to another link of its site, so a picture of it is not kept for as long as that of a token."""

_LINK: Final = CODES["link"]
_QR: Final = CODES["qr"]


class _Word(NamedTuple):
    """A word that leads somewhere: to a link of a site."""

    site: Site
    token: Token
    found: FollowedLink


async def follow_word(request: Request) -> Response:
    """A minted link that can be said: leads to its page with its token in the URL.

    Case, punctuation around the word and percent-encoding are ignored, and so is the difference between spellings that
    look or sound alike. Clicks are counted as those of `/s/{token}`.
    """
    word = await _look_up(request)
    if word is None:
        return plain_page(404, "This word leads nowhere", _NOT_FOUND)
    return await follow_minted(request, app_state(request), word.site, word.token, word.found)


async def draw_word(request: Request) -> Response:
    """The QR code of a minted link that has a word.

    The code carries the short link with the token for scans, not the word, so that scans are counted apart from clicks.
    """
    return draw_svg(request, await _scanned(request), _KEPT)


async def draw_word_in_pixels(request: Request) -> Response:
    """The QR code of a minted link that has a word, in pixels."""
    return draw_png(request, await _scanned(request), pixels(request), _KEPT)


async def _scanned(request: Request) -> str:
    """Returns the token of the link's QR code. Raises NotFound, and Invalid for a place that it does not have."""
    word = await _look_up(request)
    if word is None:
        raise NotFound("No link has that word.")
    return word.site.tokens.mint_one(*at_known_place(request, word.token._replace(channel=_QR), word.found))


async def _look_up(request: Request) -> _Word | None:
    """Returns what the word of a request leads to. Raises RateLimited.

    A word that no link has takes the same way as one that a link has, with the same statements of the store: the time
    of a response says nothing to somebody who guesses words. Each costs its network one of few attempts, which it gets
    back where the word leads somewhere.
    """
    state, address = app_state(request), client_address(request)
    refuse_excess(state.rate_limit.word(address, state.clock()), "words that lead nowhere")
    key = word_key(state.nonces, request.path_params["word"])
    link = await state.store.link_words.link(key) or LinkOfWord(0, ids.pack(0, ids.hashed_cell(key), 0))
    found = await state.store.quick.shares.followed_link(link.site_id, link.visit_id, _LINK, 0)
    site = await state.sites.by_id(link.site_id)
    if site is None or found.channel is None:
        return None
    state.rate_limit.word_found(address)
    return _Word(site, Token(link.visit_id, found.channel, 0), found)


OPERATIONS: Final = [
    Operation(
        method="GET",
        path="/go/{word:rest}/qr.svg",
        handler=limited(draw_word),
        tag="links",
        scope=None,
        is_cors=True,
        path_params=WordPath,
        query=PictureQuery,
        responses={200: ResponseSpec(str, "The picture.", (SVG,))},
        problems=(NotFound, Invalid, RateLimited, Busy),
    ),
    Operation(
        method="GET",
        path="/go/{word:rest}/qr.png",
        handler=limited(draw_word_in_pixels),
        tag="links",
        scope=None,
        is_cors=True,
        path_params=WordPath,
        query=PixelsQuery,
        responses={200: ResponseSpec(bytes, "The picture.", (PNG,))},
        problems=(NotFound, Invalid, RateLimited, Busy),
    ),
    Operation(
        method="GET",
        path="/go/{word:rest}",
        handler=limited(follow_word),
        tag="links",
        scope=None,
        path_params=WordPath,
        query=FollowQuery,
        responses={
            302: ResponseSpec(text="The way to the page.", headers=("Location",)),
            404: ResponseSpec(str, "A page for people: no link has that word.", HTML),
            410: ResponseSpec(str, "A page for people: the link was made to end before now.", HTML),
        },
        problems=(RateLimited, Busy),
    ),
]
