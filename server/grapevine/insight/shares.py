"""What a share token stands for: the share, the chain that led to it, and everything that grew from it."""

from __future__ import annotations

from collections.abc import Sequence

from grapevine import channels, ids, money
from grapevine.chains import Place, Reach, Resolution, SharedLink, Unresolved, chain
from grapevine.errors import UnknownVisit
from grapevine.sites import Site
from grapevine.store.reads import Reads
from grapevine.times import rfc3339
from grapevine.tokens import BadSignature, TokenError


async def resolve(reads: Reads, site: Site, text: str) -> Resolution:
    """What the share token ``text`` stands for.

    Raises tokens.NotAToken, tokens.BadSignature (also for a session, which names no share) and errors.UnknownVisit
    when the visit that made the share was erased or is past retention.
    """
    token = site.tokens.read(text)
    if token.is_session:
        raise BadSignature("it is a session, the credential of a visit, and names no share")
    named = (site.site_id, token.visit_id, token.channel, token.n)
    places = await reads.chain_to(site.site_id, token.visit_id)
    if not places or places[-1].erased:
        raise UnknownVisit("The visit that made this share was erased or is past retention.")
    first, sharer = places[0], places[-1]
    facts = await reads.share(*named)
    unfurls = await reads.unfurls_of(*named)
    below = await reads.reach(*named, hangs_on=_hangs_on(sharer))
    shared_page = sharer.page_id if facts.page_id is None else facts.page_id
    found = await reads.urls(site.site_id, [shared_page, *(place.page_id for place in places)])
    return Resolution(
        token=text,
        share=SharedLink(
            visit=ids.visit_text(sharer.visit_id),
            channel=channels.NAMES[token.channel],
            n=token.n,
            url=found.get(shared_page),
            at=rfc3339(sharer.at if facts.first_at is None else facts.first_at),
            depth=sharer.depth,
            reported=facts.reported_at is not None,
            proven=facts.proven_at is not None,
            returns=facts.returns,
            self_returns=facts.self_returns,
            unfurls=unfurls,
        ),
        chain=chain(places, found, site.tokens),
        reach=Reach(
            visits=below.visits,
            shares=below.shares,
            max_depth=sharer.depth if below.max_depth is None else below.max_depth,
            conversions=below.conversions,
            value=money.amounts(below.worth),
        ),
        truncated=first.parent_id is not None or first.depth > 0,
    )


def _hangs_on(sharer: Place) -> int:
    """The visit on which whatever is opened from this one's shares hangs: never one that stands aside."""
    return sharer.parent_id if sharer.is_aside and sharer.parent_id is not None else sharer.visit_id


async def resolve_many(reads: Reads, site: Site, texts: Sequence[str]) -> list[Resolution | Unresolved]:
    """As ``resolve`` for each of ``texts`` in their order, with the reason where one stands for no share."""
    known: dict[str, Resolution | Unresolved] = {}
    for text in texts:
        if text in known:
            continue
        try:
            known[text] = await resolve(reads, site, text)
        except TokenError as error:
            known[text] = Unresolved(text, error.reason)
        except UnknownVisit as error:
            known[text] = Unresolved(text, error.code)
    return [known[text] for text in texts]
