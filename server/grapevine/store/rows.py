"""The rows of the tables as Python values: one struct for each table that the product reads back.

Code builds rows by keyword. Only readers and repositories build them by position, from the columns of a query, which
stand in the order of the fields.
"""

from __future__ import annotations

from typing import Final

import msgspec

from grapevine.domain import enums
from grapevine.domain.ids import SITE_CELLS
from grapevine.domain.redaction import redacted_repr

ASIDE: Final = 1
SAME_NETWORK: Final = 2
ERASED: Final = 4
LOGGED: Final = 8
"""A line of a web server's log showed the visit, and no script reported it."""
THROUGH_LINK: Final = 16
"""A return through a minted link itself: the site distributed it, so it is no private share."""
OPENED_ONCE: Final = 32
"""Its verdict rests on a single opening, and a sign of life takes it back. The bits above are ``domain.scan_signs``."""

OLD_BUILD_DAYS: Final = 14
"""So many days after an older build of the widget was last seen, no page has it any more: caches have ended by then."""

EVERY_SITE: Final = 0
"""The ``site_id`` of an API key made for every site, those to come too."""
SEVERAL_SITES: Final = -1
"""The ``site_id`` of an API key made for several sites by name."""

_LINK: Final = enums.SOURCES["link"]

Key = int | str | None
"""The key of a count: a code, a number or a name; None where there is one count only."""


class SiteRow(msgspec.Struct, frozen=True, kw_only=True):
    """A website: ``salt`` is hex, ``query`` is ``*`` or the space-separated query parameters that distinguish pages.

    ``element`` is the prefix of the names of its widget's elements, ``cells`` in how many cells its cascades begin.
    ``counted_values`` is ``all`` or ``keys``: whose conversions have a value. ``contact`` is a URL or a mail address.
    ``keep`` are space-separated query parameters that stay in addresses although they are known to track.
    ``fragment`` is how a token is written in fragments: ``identifier`` (``gv-TOKEN``), ``parameter`` (``gv=TOKEN``),
    or ``auto``, which depends on the day on which a build of the widget was last seen that reads the latter alone:
    ``old_build_day``, 0 for never, -1 where that is not known yet. ``webmention`` is ``on`` where webmentions of its
    pages are taken.
    """

    site_id: int
    key: str
    name: str
    salt: str
    param: str
    place: str
    query: str
    created_at: int
    origins: tuple[str, ...] = ()
    element: str = "grapevine"
    cells: int = SITE_CELLS
    counted_values: str = "all"
    contact: str | None = None
    keep: str = ""
    fragment: str = "identifier"
    old_build_day: int = 0
    webmention: str = "off"

    def joint(self, today: int) -> str:
        """What stands between name and token in a fragment on day ``today``: ``-`` for an identifier, else ``=``."""
        if self.fragment == "auto":
            return "-" if 0 <= self.old_build_day <= today - OLD_BUILD_DAYS else "="
        return "-" if self.fragment == "identifier" else "="

    def token_prefix(self, today: int) -> str:
        """What most shared URLs hold before a token: ``gv-``; ``gv=`` where ``place`` or ``joint`` say so."""
        return self.param + ("=" if self.place == "query" else self.joint(today))

    def __repr__(self) -> str:
        return redacted_repr(self)


class KeyRow(msgspec.Struct, frozen=True, kw_only=True):
    """An API key without its secret; ``last_used_at`` is right to within a minute.

    ``site_id`` is the site that it was made for, EVERY_SITE, or SEVERAL_SITES, which are ``sites`` then, by number.
    """

    key_id: str
    site_id: int
    name: str
    scope: str
    created_at: int
    revoked_at: int | None = None
    last_used_at: int | None = None
    sites: tuple[int, ...] = ()

    @property
    def is_for_one(self) -> bool:
        """Whether it was made for a single site."""
        return self.site_id not in (EVERY_SITE, SEVERAL_SITES)

    @property
    def made_for(self) -> tuple[int, ...]:
        """The sites that it was made for by name; none for a key of every site."""
        return self.sites if self.site_id == SEVERAL_SITES else (self.site_id,) if self.is_for_one else ()

    def reaches(self, site_id: int) -> bool:
        """Returns whether it reaches a site."""
        return self.site_id == EVERY_SITE or site_id in self.made_for

    def reaches_all_of(self, other: KeyRow) -> bool:
        """Returns whether it reaches every site that another key reaches."""
        if EVERY_SITE in (self.site_id, other.site_id):
            return self.site_id == EVERY_SITE
        return all(site_id in self.made_for for site_id in other.made_for)


class KeptAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to a request with an ``Idempotency-Key``, sealed; the schema says what each column means."""

    key_id: str
    hash: str
    site_id: int
    request: str
    status: int
    answer: str
    created_at: int

    def __repr__(self) -> str:
        return redacted_repr(self)


class _Visit:
    """Properties derived from the columns of a visit, for every struct that holds some of them."""

    __slots__ = ()

    visit_id: int
    source: int
    via_id: int | None
    parent_id: int | None
    flags: int
    verdict: int | None

    @property
    def is_aside(self) -> bool:
        """Whether it stands aside from its cascade: not counted there, and without children of its own."""
        return bool(self.flags & ASIDE)

    @property
    def is_self(self) -> bool:
        """Whether the sharer's own browser opened its own link."""
        return self.is_aside and self.verdict is None and not self.is_erased

    @property
    def is_same_network(self) -> bool:
        """Whether its visitor hash was the sharer's."""
        return bool(self.flags & SAME_NETWORK)

    @property
    def is_erased(self) -> bool:
        """Whether only its position in the tree is left of it."""
        return bool(self.flags & ERASED)

    @property
    def makes_shares(self) -> bool:
        """Whether its shares count in its cascade: not those of a suspect. The tokens of a minted link are none that a
        visit made."""
        return self.verdict is None and self.source != _LINK

    @property
    def seen_by(self) -> str | None:
        """``log`` where a line of a web server's log showed it and no script reported it, else ``widget``; None of one
        that was erased, and of the node of a minted link."""
        if self.is_erased or self.source == _LINK:
            return None
        return "log" if self.flags & LOGGED else "widget"

    @property
    def verdict_name(self) -> str | None:
        """Why it is not taken for a person's visit; None for a person's."""
        return None if self.verdict is None else enums.VERDICT_NAMES[self.verdict]

    @property
    def sharer_id(self) -> int | None:
        """The visit whose share it came through; None where it came through none."""
        return self.parent_id if self.via_id is None else self.via_id

    @property
    def hangs_on(self) -> int:
        """The parent of the visits that come through this one's shares: itself, or its own parent where it stands
        aside, since such a visit has no children."""
        return self.parent_id if self.is_aside and self.parent_id is not None else self.visit_id


class VisitRow(_Visit, msgspec.Struct, frozen=True, array_like=True):
    """A visit as the writer stores it, with all columns in the order of the queries; the schema says what each means.

    ``CascadeVisit`` and ``ExportVisit`` are the parts of it that other readers need.
    """

    site_id: int
    visit_id: int
    cell: int
    nonce_check: int
    at: int
    next_view: int
    page_id: int
    source: int
    device: int
    app: str | None
    visitor: int | None
    channel: int | None
    n: int | None
    via_id: int | None
    parent_id: int | None
    root_id: int | None
    depth: int
    flags: int
    reason: int | None
    verdict: int | None
    network: int | None
    evidence: int | None = None

    @property
    def opened(self) -> ShareKey | None:
        """The share that it came through."""
        sharer = self.sharer_id
        if self.channel is None or self.n is None or sharer is None:
            return None
        return ShareKey(self.site_id, sharer, self.cell, self.channel, self.n)

    @property
    def root(self) -> int:
        """The id of its cascade's first visit."""
        return self.visit_id if self.root_id is None else self.root_id


class CascadeVisit(_Visit, msgspec.Struct, frozen=True, gc=False):
    """A visit as token resolution, cascades and attribution read it, in the order of their queries' columns.

    A cascade may have 50,000 of them: without the garbage collector's bookkeeping they are cheap to make.
    """

    visit_id: int
    at: int
    page_id: int
    source: int
    channel: int | None
    n: int | None
    via_id: int | None
    parent_id: int | None
    depth: int
    flags: int
    verdict: int | None
    device: int


class ExportVisit(CascadeVisit, frozen=True, gc=False):
    """The columns of a visit that an export reads: all but the visitor's hash and the check of retries."""

    cell: int
    app: str | None
    views: int
    root_id: int | None
    reason: int | None
    evidence: int | None = None


class PageRow(msgspec.Struct, frozen=True, array_like=True):
    """A page; ``day`` is the day number on which it was first seen."""

    site_id: int
    page_id: int
    cell: int
    day: int
    url: str
    title: str | None


class ShareKey(msgspec.Struct, frozen=True, array_like=True):
    """The key of a share: the content of its token, with its site."""

    site_id: int
    visit_id: int
    cell: int
    channel: int
    n: int

    def plain(self) -> tuple[int, int, int, int, int]:
        """Returns its columns, by which all batches write shares in one order."""
        return self.site_id, self.visit_id, self.cell, self.channel, self.n


class ShareRow(msgspec.Struct, frozen=True, array_like=True):
    """A share as stored, or an addition to it; the schema says what each column means.

    ``page_id`` and ``reported_by`` of an addition replace what is stored, unless they are None.
    """

    site_id: int
    visit_id: int
    cell: int
    channel: int
    n: int
    page_id: int | None
    first_at: int | None
    reported_at: int | None
    proven_at: int | None
    returns: int
    self_returns: int
    url: str | None = None
    reported_by: int | None = None

    @property
    def key(self) -> ShareKey:
        """Its primary key."""
        return ShareKey(self.site_id, self.visit_id, self.cell, self.channel, self.n)


class NameRow(msgspec.Struct, frozen=True, array_like=True):
    """A goal or app that counts as itself; ``day`` is the day number of its first sight, -1 for the owner's own."""

    site_id: int
    kind: int
    name: str
    cell: int
    day: int


class ConversionRow(msgspec.Struct, frozen=True, array_like=True):
    """A conversion, or a refund; ``value`` is in millionths of ``currency``, ``reported_by`` a code of
    CONVERSION_REPORTERS.

    A refund has the ``external_id`` and ``event_key`` of what it takes back in ``refund_of`` and ``refunded_key``, and
    its ``reported_by``: where the value of the one does not count, that of the other does not either.
    """

    site_id: int
    visit_id: int
    cell: int
    goal: str
    event_key: int
    external_id: str | None
    at: int
    value: int | None
    currency: str | None
    reported_by: int
    refund_of: str | None = None
    refunded_key: int | None = None

    @property
    def is_refund(self) -> bool:
        """Whether it takes back another one, and counts as none."""
        return self.refunded_key is not None

    @property
    def said_by(self) -> str:
        """Who reported it, of CONVERSION_REPORTERS. Refunds come with a key alone."""
        return "key" if self.is_refund else enums.CONVERSION_REPORTER_NAMES[self.reported_by]


class Counts(msgspec.Struct):
    """Numbers added up, in the order of the columns that all tables of counts have.

    ``visits`` has self-returns in it; ``unlinked`` are visits of people who asked not to be followed (no rows).
    """

    views: int = 0
    visits: int = 0
    visitors: int = 0
    returns: int = 0
    self_returns: int = 0
    same_network: int = 0
    shares: int = 0
    reported: int = 0
    proven: int = 0
    conversions: int = 0
    unlinked: int = 0
    unfurls: int = 0

    def metric(self, name: str) -> int:
        """Returns one of METRICS as users see it: ``visits`` with the unlinked ones."""
        return self.visits + self.unlinked if name == "visits" else int(getattr(self, name))
