"""What each tool asks the API, and what it takes from the answer."""

from __future__ import annotations

import re
import time
from collections.abc import AsyncIterator
from typing import Any, Final, TypeVar

import msgspec
from msgspec.structs import replace

from grapevine.analytics.cascades import Cascade, CascadeHead
from grapevine.analytics.direct import Direct
from grapevine.analytics.links import CampaignSummary
from grapevine.analytics.metrics import BreakdownRow, Summary
from grapevine.analytics.models.attribution import Attribution
from grapevine.analytics.series import Point
from grapevine.analytics.spikes import SpikeView
from grapevine.analytics.token_resolution import Resolution
from grapevine.client import AsyncClient
from grapevine.client.arguments import FilterParams
from grapevine.domain.tokens import LENGTH
from grapevine.errors import Invalid
from grapevine.mcp_server.arguments import (
    AttributionArguments,
    BreakdownArguments,
    CampaignArguments,
    CascadeArguments,
    CascadesArguments,
    FilterArguments,
    ListArguments,
    PeriodArguments,
    RowsArguments,
    SeriesArguments,
    TokenArguments,
)

Item = TypeVar("Item")

_TOKEN: Final = re.compile(rf"(?<![0-9A-Za-z])[0-9A-Za-z]{{{LENGTH}}}(?![0-9A-Za-z])", re.ASCII)


class AnswerText(msgspec.Struct, frozen=True, rename={"class_": "class"}):
    """An answer of a visitor to "how did you hear about us?", without the contact that they may have left."""

    visit: str | None
    """The visit that it belongs to; null where none was named."""
    at: str
    """When it was given."""
    text: str
    """What the visitor wrote."""
    verdict: str | None
    """Why its visit is not taken for a person's; null for people."""
    class_: str | None
    """What it means; null until a job has classified it."""
    channel: str | None
    """The channel that the text names."""


class AnswerList(msgspec.Struct, frozen=True):
    """Answers, the newest first."""

    answers: list[AnswerText]
    """The newest ones of the period."""
    total: int
    """How many there are in the period."""


async def ask_summary(client: AsyncClient, given: FilterArguments) -> Summary:
    """All numbers of a period."""
    return await client.stats.summary(given.first, given.last, **_filters(given))


async def ask_series(client: AsyncClient, given: SeriesArguments) -> list[Point]:
    """One number by interval."""
    return await client.stats.series(
        given.metric,
        given.first,
        given.last,
        interval=given.interval,
        currency=given.currency,
        reported_by=given.reported_by,
        reason=given.reason,
        verdict=given.verdict,
        bound=given.bound,
        preview=given.preview,
        **_filters(given),
    )


async def ask_breakdown(client: AsyncClient, given: BreakdownArguments) -> list[BreakdownRow]:
    """The numbers by a closed dimension."""
    return await client.stats.breakdown(given.by, given.first, given.last, limit=given.limit, **_filters(given))


async def ask_pages(client: AsyncClient, given: RowsArguments) -> list[BreakdownRow]:
    """The numbers by page."""
    return await client.stats.breakdown("page", given.first, given.last, limit=given.limit, **_filters(given))


async def ask_apps(client: AsyncClient, given: RowsArguments) -> list[BreakdownRow]:
    """The numbers by app."""
    return await client.stats.breakdown("app", given.first, given.last, limit=given.limit, **_filters(given))


async def ask_cascades(client: AsyncClient, given: CascadesArguments) -> list[CascadeHead]:
    """The first cascades in an order."""
    return await _first(client.cascades.list(given.sort, page_size=given.limit), given.limit)


async def ask_cascade(client: AsyncClient, given: CascadeArguments) -> Cascade:
    """One cascade, with at most as many nodes as asked for."""
    found = await client.cascades.get(given.root)
    beyond = max(0, len(found.nodes) - given.limit)
    return replace(found, nodes=found.nodes[: given.limit], omitted=found.omitted + beyond)


async def ask_token(client: AsyncClient, given: TokenArguments) -> Resolution:
    """The share of a token. Raises Invalid for a text without one."""
    found = _TOKEN.findall(given.token)
    if not found:
        raise Invalid(
            f"There is no share token in this text. A token is {LENGTH} letters and digits; in an address it stands "
            "after #gv- or ?gv=, in a short link after /s/."
        )
    return await client.tokens.get(found[-1])


async def ask_direct(client: AsyncClient, given: PeriodArguments) -> Direct:
    """Direct traffic and the estimate."""
    return await client.stats.direct(given.first, given.last)


async def ask_answers(client: AsyncClient, given: ListArguments) -> AnswerList:
    """The newest answers of a period, which the API exports in no order."""
    period = given.period(time.time_ns() // 1_000_000)  # an export without one has everything
    columns = AnswerText.__struct_encode_fields__
    found = [
        msgspec.convert({name: row[name] for name in columns}, AnswerText)
        async for row in client.export("answers", period.first, period.last)
    ]
    newest = sorted(found, key=lambda answer: answer.at, reverse=True)
    return AnswerList(answers=newest[: given.limit], total=len(found))


async def ask_attribution(client: AsyncClient, given: AttributionArguments) -> Attribution:
    """The credit for conversions."""
    return await client.attribution(
        given.model, given.first, given.last, goal=given.goal, limit=given.limit, **_filters(given)
    )


async def ask_campaign(client: AsyncClient, given: CampaignArguments) -> CampaignSummary:
    """What the links of a campaign brought."""
    return await client.links.summary(given.campaign)


async def ask_spikes(client: AsyncClient, given: ListArguments) -> list[SpikeView]:
    """The newest spikes of a period."""
    return await _first(client.spikes(given.first, given.last, page_size=given.limit), given.limit)


async def _first(items: AsyncIterator[Item], most: int) -> list[Item]:
    """Returns the first items of a list in pages, without asking for a page more than it takes."""
    found: list[Item] = []
    async for item in items:
        found.append(item)
        if len(found) == most:
            break
    return found


def _filters(given: FilterArguments) -> FilterParams:
    """The filters that are given."""
    names = FilterParams.__annotations__
    chosen: Any = {name: value for name in names if (value := getattr(given, name, None)) is not None}
    return msgspec.convert(chosen, FilterParams)
