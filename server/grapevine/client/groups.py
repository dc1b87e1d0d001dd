"""The calls of the API, described once. What each class does is the docstring of its methods, of which the reference
(docs/client.md) is made; the words are those of the API.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Final, Literal, Unpack

from grapevine.analytics.cascades import Cascade, CascadeHead, CascadePage
from grapevine.analytics.models.attribution import Attribution
from grapevine.analytics.spikes import SpikeView
from grapevine.analytics.token_resolution import Resolution, Unresolved
from grapevine.api_schemas.lists import SpikeList
from grapevine.api_schemas.tokens import ResolveRequest
from grapevine.api_schemas.unfurls import UnfurlReport, UnfurlReports, UnfurlResult, UnfurlResults
from grapevine.client.administration import KeysGroup, SitesGroup
from grapevine.client.answers import ExportRow, resolved, rows, unchanged
from grapevine.client.answers_group import AnswersGroup
from grapevine.client.arguments import Day, FilterParams, amount, asked, time_text
from grapevine.client.call import (
    Call,
    Caller,
    Feed,
    Group,
    PagedList,
    Stream,
    Way,
    answer,
    call,
    no_answer,
    pages,
    stream,
)
from grapevine.client.feeds_group import FeedsGroup
from grapevine.client.links_group import LinksGroup
from grapevine.client.live import FeedEvent, live_event
from grapevine.client.mentions_group import MentionsGroup
from grapevine.client.receipts_group import ReceiptsGroup
from grapevine.client.stats_group import StatsGroup
from grapevine.client.webhooks_group import WebhooksGroup
from grapevine.collect.schemas import Empty, KeyedConversionRequest
from grapevine.referrals.answers import Payouts, ReferrerPayout

LiveKind = Literal["visit", "return", "share", "conversion"]
Table = Literal["visits", "shares", "unfurls", "conversions", "answers", "cascades"]


_FEED_HEADERS: Final = {"Accept": "text/event-stream", "Accept-Encoding": "identity"}
"""A proxy that compresses a stream keeps it back until there is enough of it."""
FEED_SILENCE_SECONDS: Final = 45.0
"""How long the live feed may be silent: the server writes every 15 seconds."""


class TokensGroup(Group[Way]):
    """What is behind a share token."""

    @call("GET", "/v1/tokens/{token}")
    def get(self, token: str) -> Call[Resolution]:
        """Returns the share that a token names, the chain that led to it, and what grew from it."""
        return Call(read=answer(Resolution), path={"token": token})

    @call("POST", "/v1/tokens/resolve")
    def resolve(self, tokens: Sequence[str]) -> Call[list[Resolution | Unresolved]]:
        """Returns the same for up to 1,000 tokens, in their order; an ``Unresolved`` where one names no share."""
        return Call(read=resolved, body=ResolveRequest(tokens=list(tokens)), is_repeatable=True)


class CascadesGroup(Group[Way]):
    """Everything that grew from one visit."""

    @pages("GET", "/v1/cascades")
    def list(
        self, sort: Literal["size", "depth", "virality", "value", "recent"] = "size", *, page_size: int = 200
    ) -> PagedList[CascadePage, CascadeHead]:
        """Yields all cascades of the site. ``page_size`` is how many one request asks for.

        ``sort`` says which come first: those with the most visits, the greatest depth, the highest structural virality,
        the highest value (amounts of several currencies are added up as numbers), or those that grew last.
        """
        return PagedList(
            at=lambda cursor: Call(
                read=answer(CascadePage), query={"sort": sort, "limit": page_size, "cursor": cursor}
            ),
            items=lambda page: page.cascades,
            next=lambda page, _: page.next,
        )

    @call("GET", "/v1/cascades/{root}")
    def get(self, root: str) -> Call[Cascade]:
        """Returns the cascade that grew from the visit ``root``, with its nodes."""
        return Call(read=answer(Cascade), path={"root": root})


class ConversionsGroup(Group[Way]):
    """Goals that visitors reached."""

    @call("POST", "/v1/conversions")
    def create(
        self,
        goal: str,
        *,
        visit: str | None = None,
        token: str | None = None,
        value: Decimal | int | float | str | None = None,
        currency: str | None = None,
        id: str | None = None,  # noqa: A002 - its name in the API
        at: datetime | str | None = None,
        external_id: str | None = None,
        refund_of: str | None = None,
    ) -> Call[Empty]:
        """Stores a conversion of what ``visit``, ``token`` or ``external_id`` names. Needs the scope ``write``.

        With ``refund_of``, the ``id`` of another one, and a ``value`` below 0 it takes that back; no visit is named.

        Give your order number as ``id``: sent again, also by another program, the same order counts once. ``at`` is the
        time of the conversion, a datetime with a time zone or a text such as ``2026-11-21T09:30:00Z``; without it, now.
        """
        body = KeyedConversionRequest(
            goal=goal,
            visit=visit,
            token=token,
            external_id=external_id,
            refund_of=refund_of,
            value=None if value is None else amount(value),
            currency=currency,
            id=id,
            at=time_text(at) if isinstance(at, datetime) else at,
            nonce=secrets.token_urlsafe(24) if id is None else None,
        )
        return Call(read=answer(Empty), body=body, is_repeatable=True)


class VisitsGroup(Group[Way]):
    """Single visits."""

    @call("DELETE", "/v1/visits/{token}")
    def erase(self, token: str) -> Call[None]:
        """Erases the visit that a token, or a visit's id, names. Needs the scope ``admin``."""
        return Call(read=no_answer, path={"token": token})


class UnfurlsGroup(Group[Way]):
    """What your own web server saw of preview robots and assistants."""

    @call("POST", "/v1/unfurls")
    def report(self, unfurls: Sequence[UnfurlReport]) -> Call[list[UnfurlResult]]:
        """Reports up to 1,000 requests for pages whose address carries a token. Needs the scope ``write``.

        Returns what became of each, in their order. The server reads the ``agent`` and records preview robots and
        assistants alone.
        """
        body = UnfurlReports(unfurls=[*unfurls])
        return Call(read=lambda read: answer(UnfurlResults)(read).results, body=body, is_repeatable=True)


class Calls(Group[Way]):
    """All calls of a client."""

    def __init__(self, caller: Caller) -> None:
        super().__init__(caller)
        self.tokens: TokensGroup[Way] = TokensGroup(caller)
        self.stats: StatsGroup[Way] = StatsGroup(caller)
        self.cascades: CascadesGroup[Way] = CascadesGroup(caller)
        self.conversions: ConversionsGroup[Way] = ConversionsGroup(caller)
        self.answers: AnswersGroup[Way] = AnswersGroup(caller)
        self.visits: VisitsGroup[Way] = VisitsGroup(caller)
        self.unfurls: UnfurlsGroup[Way] = UnfurlsGroup(caller)
        self.links: LinksGroup[Way] = LinksGroup(caller)
        self.receipts: ReceiptsGroup[Way] = ReceiptsGroup(caller)
        self.webhooks: WebhooksGroup[Way] = WebhooksGroup(caller)
        self.feeds: FeedsGroup[Way] = FeedsGroup(caller)
        self.mentions: MentionsGroup[Way] = MentionsGroup(caller)
        self.sites: SitesGroup[Way] = SitesGroup(caller)
        self.keys: KeysGroup[Way] = KeysGroup(caller)

    @call("GET", "/v1/attribution")
    def attribution(
        self,
        model: Literal["first", "last", "linear", "position"],
        first: Day | None = None,
        last: Day | None = None,
        *,
        goal: str | None = None,
        limit: int | None = None,
        sort: Literal["top", "key"] = "top",
        cursor: str | None = None,
        **filters: Unpack[FilterParams],
    ) -> Call[Attribution]:
        """Returns conversions and their value, credited to channels, pages and shares.

        ``next`` of the result is the ``cursor`` of the pages and shares that follow.
        """
        query = asked(first, last, filters, model=model, goal=goal, limit=limit, sort=sort, cursor=cursor)
        return Call(read=answer(Attribution), query=query)

    @pages("GET", "/v1/payouts")
    def payouts(
        self,
        first: Day | None = None,
        last: Day | None = None,
        *,
        campaign: str | None = None,
        goal: str | None = None,
        rate: Decimal | float | str | None = None,
        fixed: Decimal | float | str | None = None,
        currency: str | None = None,
        pass_on: Decimal | float | str | None = None,
        hold: int | None = None,
        networks: int | None = None,
        page_size: int = 1_000,
    ) -> PagedList[Payouts, ReferrerPayout]:
        """Yields what a referral programme owes its referrers, by name.

        Either a ``rate`` of each conversion's value, such as ``"0.1"``, or a ``fixed`` amount with its ``currency``.
        """
        parts = {"rate": rate, "fixed": fixed, "pass_on": pass_on}
        query = asked(
            first, last, campaign=campaign, goal=goal, currency=currency, hold=hold, networks=networks, limit=page_size
        ) | {name: None if part is None else str(part) for name, part in parts.items()}
        return PagedList(
            at=lambda cursor: Call(read=answer(Payouts), query=query | {"cursor": cursor}),
            items=lambda page: page.referrers,
            next=lambda page, _: page.next,
        )

    @pages("GET", "/v1/spikes")
    def spikes(
        self, first: Day | None = None, last: Day | None = None, *, page_size: int = 1_000
    ) -> PagedList[SpikeList, SpikeView]:
        """Yields the pages whose returns rose far above their own rate, the newest first."""
        return PagedList(
            at=lambda cursor: Call(read=answer(SpikeList), query=asked(first, last, limit=page_size, cursor=cursor)),
            items=lambda page: page.spikes,
            next=lambda page, _: page.next,
        )

    @stream("GET", "/v1/live")
    def live(self, kinds: Sequence[LiveKind] | None = None, *, after: str | None = None) -> Feed[FeedEvent]:
        """Yields visits, returns, shares and conversions as they are stored; of these only ``kinds``, if given.

        It does not end. When the connection breaks, the client connects again and goes on after the last event; in
        place of what the server cannot send any more there is an event ``gap``. ``after`` is the ``id`` of an event
        after which to go on, which the server can for five minutes. Raises ConnectionFailed when nothing came for that
        long.
        """
        chosen = None if kinds is None else ",".join(kinds)
        return Feed(
            at=lambda last: Call(
                read=no_answer,
                query={"kinds": chosen},
                headers=_FEED_HEADERS | ({} if last is None else {"Last-Event-ID": last}),
                least_timeout=FEED_SILENCE_SECONDS,
            ),
            after=after,
            read=live_event,
        )

    @stream("GET", "/v1/export/{table}")
    def export(self, table: Table, first: Day | None = None, last: Day | None = None) -> Stream[ExportRow]:
        """Yields the rows of a table while they come. Without days these are all rows.

        Raises ConnectionFailed where the answer ends early, after the rows that came.
        """
        call = Call(
            read=no_answer,
            path={"table": table},
            query=asked(first, last, format="ndjson"),
            headers={"Accept": "application/x-ndjson"},
        )
        return Stream(call=call, items=rows)

    @stream("GET", "/v1/export/{table}")
    def export_file(
        self,
        table: Table,
        format: Literal["ndjson", "csv", "parquet"] = "csv",  # noqa: A002 - its name in the API
        first: Day | None = None,
        last: Day | None = None,
        *,
        bom: bool | None = None,
    ) -> Stream[bytes]:
        """Yields the bytes of a file with the rows of a table. ``bom`` is whether a CSV file begins with a byte order
        mark, which Excel needs."""
        mark = None if bom is None else "on" if bom else "off"
        query = asked(first, last, format=format, bom=mark)
        call = Call(read=no_answer, path={"table": table}, query=query, headers={"Accept": "*/*"})
        return Stream(call=call, items=unchanged)
