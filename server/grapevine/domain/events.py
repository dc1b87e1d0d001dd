"""The events of a site, as the writer takes them: decided as far as a request can be decided without a read.

``network`` is the hash of the network that an event came from (``collect.visitor_hash.network_hash``), 0 where it came
with an API key. Opted-out visits carry it for the bounds of a day, and it is never stored of them.
"""

from __future__ import annotations

from typing import Final, Literal

import msgspec

from grapevine.domain.ids import CELLS
from grapevine.domain.tokens import Token
from grapevine.domain.urls import Page


class ClickSight(msgspec.Struct, frozen=True, gc=False):
    """A click id under one day's salt. ``key`` is the keyed hash of the click id, ``holder`` that of the click id and
    the visitor: without the click id nothing connects it with the visitor's visits."""

    key: int
    holder: int


class ArrivingClick(msgspec.Struct, frozen=True, gc=False):
    """A click id with which a browser arrived: under the salts of its day and of the day before. ``source`` is what it
    stands for at its first sight."""

    source: int
    sight: ClickSight
    sight_before: ClickSight


class VisitEvent(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A browser arrived. ``source`` is its source when its token turns out to lead nowhere.

    ``token`` is the valid share token it came with, ``reason`` (a code) why one that came was no good; ``own`` says
    that the browser knows the token as its own. ``visitor_before`` is the visitor's hash under yesterday's salt, None
    where no token asks for it. ``verdict`` (a code) is why it is taken for no person. ``spread`` is in how many
    cells the cascades of its site begin. ``app_listed`` says that its app is known by name, so that no visitor has
    invented it. ``evidence`` is what the request alone gave away (``visit_evidence``), with what decided ``source``; a
    ``click`` is for the writer to judge. ``logged`` says that a web server's log shows it, and no script reported it.
    ``signs`` are those of a program that checks mails (``domain.scan_signs``), where it opened a link that may have
    been mailed. Without a ``visitor``, ``network`` only serves the bounds of the day, and is not stored.
    """

    site_id: int
    nonce: str
    day: int
    at: int
    page: Page
    title: str | None
    source: int
    device: int
    app: str | None
    visitor: int | None
    visitor_before: int | None
    token: Token | None
    reason: int | None
    own: bool
    verdict: int | None = None
    network: int = 0
    spread: int = CELLS
    app_listed: bool = True
    logged: bool = False
    signs: int = 0
    evidence: int = 0
    click: ArrivingClick | None = None


class View(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A page view in a visit that began earlier."""

    site_id: int
    visit_id: int
    nonce: str
    at: int


class ShareReport(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The widget says that a share happened: this token was copied, or handed to an app.

    ``by_session`` says whether the visit's own session came with the token; without it, anybody who holds the link may
    have sent the report.
    """

    site_id: int
    token: Token
    at: int
    page: Page
    title: str | None
    by_session: bool
    network: int = 0


class Unfurl(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A messenger's preview robot fetched a shared link."""

    site_id: int
    token: Token
    at: int
    app: str


class Click(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A person followed the short link, or scanned the code, of a minted link. ``nonce`` lets it count once, however
    often its batch is tried."""

    site_id: int
    token: Token
    nonce: str
    at: int


class Conversion(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A goal was reached in a visit. ``once`` tells it from every other conversion of the site: its (goal, id), or else
    its nonce. ``value`` is in millionths of ``currency``; both are None where nothing was said of a value.
    ``reported_by`` is a code of ``enums.CONVERSION_REPORTERS``.

    A refund has the ``external_id`` of what it takes back in ``refund_of``, and its ``once`` in ``refunds``; its visit,
    that of the other, is found by the writer, and ``visit_id`` is 0."""

    site_id: int
    visit_id: int
    goal: str
    once: str
    external_id: str | None
    at: int
    value: int | None
    currency: str | None
    reported_by: int
    network: int = 0
    refund_of: str | None = None
    refunds: str | None = None


class Answer(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A visitor's answer to "how did you hear about us?". ``visit_id`` is 0 where no visit was named.

    ``class_`` is the class that version ``rules`` of the rules gave the text, ``channel`` the code of the channel that
    it names. ``reported_by`` is a code of ``enums.CONVERSION_REPORTERS``."""

    site_id: int
    visit_id: int
    nonce: str
    at: int
    text: str
    contact: str | None
    network: int = 0
    class_: str | None = None
    channel: int | None = None
    rules: int | None = None
    reported_by: int = 0


class OptedOutVisit(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A visit whose visitor opted out: counted, never stored."""

    site_id: int
    nonce: str
    at: int
    page: Page
    title: str | None
    source: int
    device: int
    network: int = 0


Event = VisitEvent | View | ShareReport | Unfurl | Click | Conversion | Answer | OptedOutVisit


class VisitOutcome(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The outcome of an arrival. ``returned`` says whether a share token came along, good or bad."""

    visit_id: int
    returned: bool
    reason: int | None
    source: int
    channel: int | None
    depth: int
    is_self: bool
    same_network: bool
    duplicate: bool


class Stored(msgspec.Struct, frozen=True):
    """Any other event is in the store; ``duplicate`` when it was there before."""

    duplicate: bool = False


class VisitNotFound(msgspec.Struct, frozen=True):
    """The visit that the event names is not in the store; nothing changed."""


class BoundExceeded(msgspec.Struct, frozen=True):
    """The event exceeds what its network may add in a day; nothing changed. The next day begins in ``seconds``."""

    seconds: int


class VisitBoundExceeded(msgspec.Struct, frozen=True):
    """The visit has as many events of this kind as are taken of one; nothing changed."""


REFUND_AHEAD_MS: Final = 86_400_000
"""A refund may be said to be so much earlier than what it takes back: shops report days, and sales late."""

RefundFault = Literal[
    "unknown", "gone", "refund", "no-value", "currency", "too-much", "early", "refunded", "refunded-currency"
]
"""Why a refund, or what was refunded before, cannot be: nothing has the id; its visit is not here any more; it is a
refund itself; it has no value; another currency; more than is left; more than a day before what it takes
back; a key reports less than was refunded already, or in another currency."""


class RefundRefused(msgspec.Struct, frozen=True):
    """Nothing changed. ``amount`` (millionths of ``currency``) is what is left to take back, or was taken back."""

    why: RefundFault
    amount: int = 0
    currency: str | None = None


Outcome = VisitOutcome | Stored | VisitNotFound | BoundExceeded | VisitBoundExceeded | RefundRefused
