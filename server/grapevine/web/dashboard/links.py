"""The pages "Links": the minted links of a site with what each brought, and one of them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, NamedTuple

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from grapevine.analytics.links import (
    MOST_OF_CAMPAIGN,
    CampaignSummary,
    LinkGeneration,
    LinkTotals,
    link_numbers,
    link_totals,
)
from grapevine.config.public_url import public_url
from grapevine.domain import channels
from grapevine.domain.periods import rfc3339
from grapevine.domain.printable import name_text
from grapevine.domain.token_urls import find_token
from grapevine.domain.tokens import TokenError
from grapevine.errors import Busy, Invalid, NotFound
from grapevine.links.answers import addresses, minted_link
from grapevine.links.finding import NamesAsked, find_links
from grapevine.sites.cache import Site
from grapevine.store.repositories.links import LinkRow
from grapevine.web.dashboard.erase import may_erase
from grapevine.web.dashboard.first_steps import steps_context
from grapevine.web.dashboard.generation_picture import GenerationPicture, draw_generations
from grapevine.web.dashboard.page import dashboard_page, viewer_context
from grapevine.web.dashboard.rendering import render_page
from grapevine.web.dashboard.view_url import ViewUrl
from grapevine.web.public_address import public_address
from grapevine.web.state import AppState

PAGE_OF_LINKS: Final = 25
KIND_LABELS: Final = {"campaign": "campaign", "external_id": "external id", "label": "label"}
"""The kinds of names in the order in which a name is looked for."""

_QR: Final = channels.CODES["qr"]
_MOST_OF_FILE_NAME: Final = 40
_NOT_IN_FILE_NAME: Final = re.compile("[^a-z0-9]+")


class ShownLink(NamedTuple):
    """A row of the list."""

    token: str
    channel: str
    link: LinkRow
    totals: LinkTotals
    made_at: str
    expired: bool


class LinkPage(NamedTuple):
    """One page of the list; ``next`` is the cursor of the page behind it."""

    links: list[ShownLink]
    next: str | None


class Asked(NamedTuple):
    """What is looked for: ``text`` was typed; ``names`` are those that the links shown have, None where no link has it
    as a name. There are links with that text as a name of the kinds ``also``, too. ``share`` is a token in it that is
    no minted link's."""

    text: str
    names: NamesAsked | None
    also: tuple[str, ...] = ()
    share: str | None = None


@dashboard_page
async def links_page(request: Request) -> Response:
    """``GET /links``. Returns one page of the list: all links, or those of a campaign, an external id or a label."""
    state, viewer, view_url = await viewer_context(request, "links")
    site = viewer.site
    asked = _asked(view_url)
    text = view_url.params.get("name", "").strip()
    if text:
        token = find_token(text, site.row.param)
        visit_id = _visit_of(site, token)
        if visit_id is not None and await state.store.links.link(site.site_id, visit_id) is not None:
            return RedirectResponse(view_url.to(f"/links/{token}"), 303)
        asked = await _kinds_of(state, site, text, None if visit_id is None else token)
    cursor = view_url.params.get("cursor")
    found = await _list(state, site, asked, cursor)
    # It reads all links of a campaign, so further pages of the list do without.
    summary, unsummed = await _summary(request, state, site, asked) if found.links and cursor is None else (None, "")
    steps = await steps_context(request, state, viewer, wanted=not found.links and asked is None)
    return render_page(
        "links.html",
        **request.state.frame,
        found=found,
        asked=asked,
        kinds=KIND_LABELS,
        summary=summary,
        unsummed=unsummed,
        picture=_picture([] if summary is None else summary.generations),
        **steps,
    )


@dashboard_page
async def link_page(request: Request) -> Response:
    """``GET /links/{token}``. Returns one link: what to hand out, and what it brought."""
    state, viewer, _ = await viewer_context(request, "links")
    site, now, settings = viewer.site, state.clock(), state.settings
    visit_id = _visit_of(site, request.path_params["token"])
    row = None if visit_id is None else await state.store.links.link(site.site_id, visit_id)
    if row is None:
        raise NotFound("This site has no tracked link with that token: it was deleted, or was never made.")
    to = addresses(site.row, public_address(request, settings), settings.prefix, now)
    link = minted_link(to, site.tokens, row)
    numbers = await link_numbers(state.store.reads, site, row)
    return render_page(
        "link.html",
        **request.state.frame,
        link=link,
        numbers=numbers,
        expired=_is_expired(row, now),
        short_url=None if to.server is None else f"{to.server}/s/{link.token}",
        # On this server, whose pages may show no picture of another: the public address may be another name of it.
        codes=None if to.server is None else public_url("", settings.prefix, "/s/"),
        qr_token=site.tokens.mint_one(row.visit_id, _QR),
        file_name=_file_name(row.label),
        picture=_picture(numbers.generations),
        may_erase=may_erase(viewer),
    )


def _asked(view_url: ViewUrl) -> Asked | None:
    """Returns the names that the URL gives by their kinds; None where it gives none."""
    given = {kind: text for kind in KIND_LABELS if (text := name_text(view_url.params.get(kind, "")))}
    return Asked(next(iter(given.values())), NamesAsked(**given)) if given else None


async def _kinds_of(state: AppState, site: Site, text: str, share: str | None) -> Asked:
    """Returns as what kinds of names links have that text: a person who looks for it need not know."""
    kinds = []
    for kind in KIND_LABELS:
        names = NamesAsked(**{kind: text})
        if (await find_links(state.store.links, state.nonces, site.site_id, names, 1)).rows:
            kinds.append(kind)
    return Asked(text, NamesAsked(**{kinds[0]: text}), tuple(kinds[1:])) if kinds else Asked(text, None, share=share)


async def _list(state: AppState, site: Site, asked: Asked | None, cursor: str | None) -> LinkPage:
    names = NamesAsked() if asked is None else asked.names
    if names is None:
        return LinkPage([], None)
    found = await find_links(state.store.links, state.nonces, site.site_id, names, PAGE_OF_LINKS, cursor)
    totals = await link_totals(state.store.reads, site, [row.visit_id for row in found.rows])
    now = state.clock()
    links = [
        ShownLink(
            token=site.tokens.mint_one(row.visit_id, row.channel),
            channel=channels.NAMES[row.channel],
            link=row,
            totals=totals[row.visit_id],
            made_at=rfc3339(row.created_at),
            expired=_is_expired(row, now),
        )
        for row in found.rows
    ]
    return LinkPage(links, found.next)


async def _summary(
    request: Request, state: AppState, site: Site, asked: Asked | None
) -> tuple[CampaignSummary | None, str]:
    """Returns what a campaign brought; None where the list is not that of a whole one, or where it cannot be added up
    now, and then the reason."""
    if asked is None or asked.names is None or [*asked.names.given()] != ["campaign"]:
        return None, ""
    try:
        return await state.campaign_summaries.read(request, site, asked.names.given()["campaign"]), ""
    except Busy:
        return None, "The server adds up other campaigns right now. Load this page again in a moment for the sums."
    except Invalid:
        return (
            None,
            f"A campaign of more than {MOST_OF_CAMPAIGN:,} links is not added up; each link has its numbers.",
        )


def _picture(generations: Sequence[LinkGeneration]) -> GenerationPicture:
    return draw_generations([(each.depth, each.visits) for each in generations])


def _visit_of(site: Site, token: str) -> int | None:
    """Returns the id of the visit that a token of the site names; None for anything else."""
    try:
        read = site.tokens.read(token)
    except TokenError:
        return None
    return None if read.is_session else read.visit_id


def _is_expired(row: LinkRow, now: int) -> bool:
    return row.expires_at is not None and row.expires_at <= now


def _file_name(label: str | None) -> str:
    """Returns a name for the files of the QR code."""
    name = _NOT_IN_FILE_NAME.sub("-", (label or "").lower()).strip("-")
    return name[:_MOST_OF_FILE_NAME] or "link"
