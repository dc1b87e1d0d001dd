"""Token resolution: the share of a token, the chain that led to it, and everything that grew from it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, Literal, NamedTuple

import msgspec

from grapevine.analytics.links import LinkNames, names_at_roots
from grapevine.domain import channels, enums, ids, money
from grapevine.domain.money import Amounts
from grapevine.domain.periods import rfc3339
from grapevine.domain.tokens import BadSignature, Token, TokenError, Tokens
from grapevine.errors import UnknownVisit
from grapevine.sites.cache import Site
from grapevine.store.readers.reads import Reads
from grapevine.store.readers.shares import ReachFacts, ShareFacts
from grapevine.store.rows import CascadeVisit

_LINK: Final = enums.SOURCES["link"]
_AT_ONCE: Final = 4
"""How many tokens of one call are looked up side by side: as many as a PostgreSQL store has readers."""


class Via(msgspec.Struct, frozen=True):
    """The share through which a visit came."""

    token: str
    """The token that was in the URL."""
    channel: str
    """The channel of the share."""
    n: int
    """Which share of the sharer on this channel, from 0."""


class ChainNode(msgspec.Struct, frozen=True, omit_defaults=True):
    """One visit on the way to a share. Of an erased one, nothing is known but that it was there."""

    visit: str
    """The visit."""
    at: str | None
    """When it began; null where it was erased."""
    url: str | None
    """The page that it began on; null where it was erased."""
    source: str | None
    """Where it came from; null where it was erased."""
    depth: int
    """How many shares it is away from the root."""
    via: Via | None
    """The share through which it came; null at a root."""
    is_self: bool = msgspec.field(default=False, name="self")
    """Whether the sharer opened their own link."""
    verdict: str | None = None
    """Why it is taken for no person's: `driven`, `scanner` or `replay`."""
    erased: bool = False
    """Whether it was erased."""
    seen_by: Literal["log"] | None = None
    """`log` where an imported access log showed it and no script reported it."""


class SharedLink(msgspec.Struct, frozen=True):
    """One share."""

    visit: str
    """The visit that made it."""
    channel: str
    """The channel."""
    n: int
    """Which share of this visit on this channel, from 0."""
    url: str | None
    """The shared page; the page that the visit began on where the share is not reported."""
    at: str
    """When it was first reported or proven; the visit's own time where neither has happened yet."""
    depth: int
    """The depth of the visit."""
    reported: bool
    """Whether a page reported it."""
    proven: bool
    """Whether somebody came through it."""
    returns: int
    """Visits through it, without self-returns."""
    self_returns: int
    """Visits through it by the sharer."""
    networks: int
    """From how many networks its returns came, each counted once a day: an IPv4 address, or an IPv6 /64. Rows of
    versions that did not store networks are not among them."""
    unfurls: dict[str, int]
    """Previews of the link by the app that drew them."""
    reported_by: str | None
    """`session` where the report came with the session of the visit that made the share, `token` where it came with the
    token alone, which every recipient holds; null where the share is not reported."""


class ShareReach(msgspec.Struct, frozen=True):
    """Everything below one share, without self-returns and suspects."""

    visits: int
    """Visits."""
    shares: int
    """Shares that these made. The `shares` of a cascade may be more, since they include those of self-returns."""
    max_depth: int
    """The depth of the deepest of them, counted from the root of the cascade."""
    conversions: int
    """Goals that they reached."""
    value: Amounts
    """Their value by currency."""


class Resolution(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a share token stands for."""

    token: str
    """The token."""
    share: SharedLink
    """The share."""
    chain: list[ChainNode]
    """The visits from the root to the one that made the share. Of more than 200, these are the root and the last
    199."""
    reach: ShareReach
    """What grew from the share."""
    truncated: bool = False
    """Whether older visits than the first of `chain` are not stored any more."""
    omitted: int = 0
    """How many visits are left out between the root and the second of `chain`."""
    link: LinkNames | None = None
    """The minted link at the root of `chain`, the token's own where `share.depth` is 0; absent where the chain began
    with a visit."""


class Unresolved(msgspec.Struct, frozen=True):
    """A text that stands for no share."""

    token: str
    """The text."""
    error: str
    """`not-a-token`, `bad-signature` or `unknown-visit`."""


class _Found(NamedTuple):
    """The stored facts of a share, without the pages' URLs."""

    text: str
    site: Site
    token: Token
    visits: list[CascadeVisit]
    omitted: int
    facts: ShareFacts
    unfurls: dict[str, int]
    below: ReachFacts
    link: LinkNames | None

    @property
    def shared_page(self) -> int:
        """The page that was shared: the sharing visit's own, where the share was not reported."""
        return self.visits[-1].page_id if self.facts.page_id is None else self.facts.page_id

    @property
    def pages(self) -> list[int]:
        """The pages whose URLs ``resolution`` needs."""
        return [self.shared_page, *(visit.page_id for visit in self.visits)]

    def resolution(self, urls: Mapping[int, str]) -> Resolution:
        """The answer; ``urls`` are those that are known, by page."""
        first, sharer, facts, below = self.visits[0], self.visits[-1], self.facts, self.below
        return Resolution(
            token=self.text,
            share=SharedLink(
                visit=ids.visit_text(sharer.visit_id),
                channel=channels.NAMES[self.token.channel],
                n=self.token.n,
                url=facts.url or urls.get(self.shared_page),
                at=rfc3339(sharer.at if facts.first_at is None else facts.first_at),
                depth=sharer.depth,
                reported=facts.reported_at is not None,
                proven=facts.proven_at is not None,
                returns=facts.returns,
                self_returns=facts.self_returns,
                networks=below.networks,
                unfurls=self.unfurls,
                reported_by=enums.share_reporter(facts.reported_at, facts.reported_by),
            ),
            chain=chain_nodes(self.visits, urls, self.site.tokens),
            reach=ShareReach(
                visits=below.visits,
                shares=below.shares,
                max_depth=sharer.depth if below.max_depth is None else below.max_depth,
                conversions=below.conversions,
                value=money.amounts(below.worth),
            ),
            truncated=first.parent_id is not None or first.depth > 0,
            omitted=self.omitted,
            link=self.link,
        )


async def resolve_token(reads: Reads, site: Site, text: str) -> Resolution:
    """Returns the resolution of the share token ``text``.

    Raises tokens.NotAToken, tokens.BadSignature (also for a session, which names no share) and errors.UnknownVisit
    when the visit that made the share was erased or is past retention.
    """
    found = await _find(reads, site, text)
    return found.resolution(await reads.pages.urls(site.site_id, found.pages))


async def resolve_many_tokens(reads: Reads, site: Site, texts: Sequence[str]) -> list[Resolution | Unresolved]:
    """As ``resolve_token`` for each of ``texts`` in their order, with the reason where one stands for no share."""
    some = asyncio.Semaphore(_AT_ONCE)

    async def find(text: str) -> _Found | Unresolved:
        async with some:
            try:
                return await _find(reads, site, text)
            except TokenError as error:
                return Unresolved(token=text, error=error.reason)
            except UnknownVisit as error:
                return Unresolved(token=text, error=error.code)

    try:
        async with asyncio.TaskGroup() as group:
            tasks = {text: group.create_task(find(text)) for text in dict.fromkeys(texts)}
    except ExceptionGroup as errors:  # all for the same reason: the store cannot be read
        raise errors.exceptions[0] from None
    known = {text: task.result() for text, task in tasks.items()}
    pages = {page for each in known.values() if isinstance(each, _Found) for page in each.pages}
    urls = await reads.pages.urls(site.site_id, sorted(pages))
    found: list[Resolution | Unresolved] = []
    for text in texts:
        each = known[text]
        if isinstance(each, _Found):
            found.append(each.resolution(urls))
            await asyncio.sleep(0)  # a chain of 200 visits takes milliseconds, in which no other request should wait
        else:
            found.append(each)
    return found


async def _find(reads: Reads, site: Site, text: str) -> _Found:
    """As ``resolve_token``, without the URLs."""
    token = site.tokens.read(text)
    if token.is_session:
        raise BadSignature("it is a session, the credential of a visit, and names no share")
    named = (site.site_id, token.visit_id, token.channel, token.n)
    visits, omitted = await reads.cascades.chain_to(site.site_id, token.visit_id)
    if not visits or visits[-1].is_erased:
        raise UnknownVisit("The visit that made this share was erased or is past retention.")
    facts = await reads.shares.share(*named)
    unfurls = await reads.shares.unfurls_of(*named)
    hangs_on = visits[-1].hangs_on
    below = await reads.shares.reach(*named, hangs_on=hangs_on, least_reporter=site.least_reporter)
    link = None
    if visits[0].source == _LINK:
        root = visits[0].visit_id
        link = (await names_at_roots(reads, site, [root])).get(root)
    return _Found(text, site, token, visits, omitted, facts, unfurls, below, link)


def chain_nodes(visits: Iterable[CascadeVisit], urls: Mapping[int, str], tokens: Tokens) -> list[ChainNode]:
    """The nodes of a chain, each with the token of the share it arrived through minted again."""
    return [
        ChainNode(
            visit=ids.visit_text(visit.visit_id),
            at=None if visit.is_erased else rfc3339(visit.at),
            url=None if visit.is_erased else urls.get(visit.page_id),
            source=None if visit.is_erased else enums.SOURCE_NAMES[visit.source],
            depth=visit.depth,
            via=_via(visit, tokens),
            is_self=visit.is_self,
            verdict=visit.verdict_name,
            erased=visit.is_erased,
            seen_by="log" if visit.seen_by == "log" else None,
        )
        for visit in visits
    ]


def _via(visit: CascadeVisit, tokens: Tokens) -> Via | None:
    sharer = visit.sharer_id
    if sharer is None or visit.channel is None or visit.n is None:
        return None
    token = tokens.mint_one(sharer, visit.channel, visit.n)
    return Via(token=token, channel=channels.NAMES[visit.channel], n=visit.n)
