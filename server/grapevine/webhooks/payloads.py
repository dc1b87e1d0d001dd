"""What webhooks say: the ``data`` of each event. docs/webhooks.md has the same fields; a test compares them."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from grapevine.domain import channels, enums, ids, money
from grapevine.domain.periods import rfc3339
from grapevine.sites.cache import Site
from grapevine.store.answer_rows import AnswerRow
from grapevine.store.repositories.links import LinkRow
from grapevine.store.rows import ConversionRow, ShareRow, VisitRow
from grapevine.store.write_batch import GrownCascade


class OriginLink(msgspec.Struct, frozen=True, kw_only=True):
    """The minted link that a cascade began with, by its names. ``visit`` is its node, by which an erasure finds it."""

    token: str
    visit: str
    external_id: str | None
    label: str | None
    campaign: str | None


class ViaShare(msgspec.Struct, frozen=True, kw_only=True):
    """The share that a visit came through."""

    token: str
    visit: str
    channel: str
    n: int


class ShareProven(msgspec.Struct, frozen=True, kw_only=True):
    """``share.proven``: a person who is not the sharer came through a share for the first time, at ``at``."""

    site: str
    token: str
    visit: str
    channel: str
    n: int
    page: str | None
    depth: int
    at: str
    link: OriginLink | None


class ConversionCreated(msgspec.Struct, frozen=True, kw_only=True):
    """``conversion.created``: a visit reached a goal, or the value of one was taken back.

    ``conversion`` is its id in the API. ``replaces``: a page had reported the same goal and id before. ``refund_of`` is
    the ``id`` of what a refund takes back; its ``value`` is below 0."""

    site: str
    visit: str
    goal: str
    id: str | None
    value: str | None
    currency: str | None
    by: str
    replaces: bool
    page: str | None
    source: str
    depth: int
    at: str
    via: ViaShare | None
    link: OriginLink | None
    conversion: str
    refund_of: str | None


class AnswerCreated(msgspec.Struct, frozen=True, kw_only=True, rename={"class_": "class"}):
    """``answer.created``: a visitor, or the owner's own server, said how somebody had heard of the site. Everything
    about the visit is null where none was named. ``channel`` is the one that the text names, ``by`` is page or key."""

    site: str
    answer: str
    visit: str | None
    text: str
    class_: str | None
    channel: str | None
    by: str
    contact: str | None
    page: str | None
    source: str | None
    depth: int | None
    at: str
    via: ViaShare | None
    link: OriginLink | None


class CascadeMilestone(msgspec.Struct, frozen=True, kw_only=True):
    """``cascade.milestone``: a cascade has ``milestone`` visits or more for the first time. ``root`` is its first
    visit, or the node of the minted link that it began with."""

    site: str
    root: str
    page: str | None
    milestone: int
    size: int
    max_depth: int
    started_at: str
    at: str
    link: OriginLink | None


class MentionCreated(msgspec.Struct, frozen=True, kw_only=True):
    """``mention.created``: ``source``, a page elsewhere, mentions ``page``; null where it does not say what it is."""

    site: str
    page: str
    kind: str
    source: str
    title: str | None
    author: str | None
    published_at: str | None
    at: str


class SpikeDetected(msgspec.Struct, frozen=True, kw_only=True):
    """``spike.detected``: the ``returns`` of a page in the ``minutes`` before ``at`` are ``times`` as many as were
    ``expected``; ``probability`` is that of so many by chance."""

    site: str
    page: str
    at: str
    minutes: int
    returns: int
    expected: float
    times: float
    probability: float


class SiteSilent(msgspec.Struct, frozen=True, kw_only=True):
    """``site.silent``: no visit in the ``hours`` since ``since``, although ``expected`` visits are usual in them."""

    site: str
    since: str
    hours: int
    expected: float
    visits_a_day: float
    at: str


class Facts:
    """What the rows of events do not say themselves: URLs by (site, page), minted links by (site, node)."""

    def __init__(self, urls: Mapping[tuple[int, int], str], links: Mapping[tuple[int, int], LinkRow]) -> None:
        self._urls = urls
        self._links = links

    def share_proven(self, site: Site, share: ShareRow, before: ShareRow | None, sharer: VisitRow) -> ShareProven:
        """Returns the data about a share. ``share`` holds what changed, ``before`` what was stored, if anything."""
        return ShareProven(
            site=site.key,
            token=site.tokens.mint_one(share.visit_id, share.channel, share.n),
            visit=ids.visit_text(share.visit_id),
            channel=channels.NAMES[share.channel],
            n=share.n,
            page=share.url
            or (before and before.url)
            or self._urls.get((site.site_id, shared_page(share, before, sharer))),
            depth=sharer.depth,
            at=rfc3339(share.proven_at or 0),
            link=self._link(site, sharer.root),
        )

    def conversion_created(
        self, site: Site, row: ConversionRow, visit: VisitRow, *, replaces: bool
    ) -> ConversionCreated:
        """Returns the data about a conversion. As everywhere, its value is null where the site counts only keys'."""
        valued = row.value is not None and row.reported_by >= site.least_reporter
        return ConversionCreated(
            site=site.key,
            visit=ids.visit_text(row.visit_id),
            goal=row.goal,
            id=row.external_id,
            value=money.decimal(row.value) if valued and row.value is not None else None,
            currency=row.currency if valued else None,
            by=row.said_by,
            replaces=replaces,
            page=self._urls.get((site.site_id, visit.page_id)),
            source=enums.SOURCE_NAMES[visit.source],
            depth=visit.depth,
            at=rfc3339(row.at),
            via=_via(site, visit),
            link=self._link(site, visit.root),
            conversion=ids.key_text(row.event_key),
            refund_of=row.refund_of,
        )

    def answer_created(self, site: Site, row: AnswerRow, visit: VisitRow | None) -> AnswerCreated:
        """Returns the data about an answer, and about the ``visit`` that it was given in."""
        return AnswerCreated(
            site=site.key,
            answer=row.answer_id,
            visit=None if visit is None else ids.visit_text(visit.visit_id),
            text=row.text,
            class_=row.meaning,
            channel=None if row.channel is None else channels.NAMES[row.channel],
            by=enums.CONVERSION_REPORTER_NAMES[row.reported_by],
            contact=row.contact,
            page=None if visit is None else self._urls.get((site.site_id, visit.page_id)),
            source=None if visit is None else enums.SOURCE_NAMES[visit.source],
            depth=None if visit is None else visit.depth,
            at=rfc3339(row.at),
            via=None if visit is None else _via(site, visit),
            link=None if visit is None else self._link(site, visit.root),
        )

    def cascade_milestone(self, site: Site, cascade: GrownCascade, milestone: int, at: int) -> CascadeMilestone:
        """Returns the data about a cascade that has passed a milestone at ``at`` (UTC milliseconds)."""
        return CascadeMilestone(
            site=site.key,
            root=ids.visit_text(cascade.root_id),
            page=self._urls.get((site.site_id, cascade.page_id)),
            milestone=milestone,
            size=cascade.size,
            max_depth=cascade.max_depth,
            started_at=rfc3339(cascade.started_at),
            at=rfc3339(at),
            link=self._link(site, cascade.root_id),
        )

    def _link(self, site: Site, root_id: int) -> OriginLink | None:
        link = self._links.get((site.site_id, root_id))
        if link is None:
            return None
        return OriginLink(
            token=site.tokens.mint_one(link.visit_id, link.channel),
            visit=ids.visit_text(link.visit_id),
            external_id=link.external_id,
            label=link.label,
            campaign=link.campaign,
        )


def _via(site: Site, visit: VisitRow) -> ViaShare | None:
    opened = visit.opened
    if opened is None:
        return None
    return ViaShare(
        token=site.tokens.mint_one(opened.visit_id, opened.channel, opened.n),
        visit=ids.visit_text(opened.visit_id),
        channel=channels.NAMES[opened.channel],
        n=opened.n,
    )


def shared_page(share: ShareRow, before: ShareRow | None, sharer: VisitRow) -> int:
    """Returns the page that was shared: the sharer's first page where no report named one."""
    if share.page_id is not None:
        return share.page_id
    return sharer.page_id if before is None or before.page_id is None else before.page_id
