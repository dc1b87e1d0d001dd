"""The tools by name: the arguments of each, the question that it asks, and how the answer is passed on."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final

from grapevine.analytics.cascades import Cascade, CascadeHead
from grapevine.analytics.direct import Direct
from grapevine.analytics.links import CampaignSummary
from grapevine.analytics.metrics import BreakdownRow, Summary
from grapevine.analytics.models.attribution import Attribution
from grapevine.analytics.series import Point
from grapevine.analytics.spikes import SpikeView
from grapevine.analytics.token_resolution import Resolution
from grapevine.client import AsyncClient
from grapevine.mcp_server import arguments, questions
from grapevine.mcp_server.closed_texts import CHANNEL, CREDITED_SHARE, DIMENSION_KEY
from grapevine.mcp_server.marking import Marker

Arguments = Any
"""A struct of ``arguments``."""


@dataclass(frozen=True)
class Tool:
    """One tool; its texts stand under its name in ``texts.toml``."""

    arguments: type[Arguments]
    ask: Callable[[AsyncClient, Any], Awaitable[Any]]
    marker: Marker


TOOLS: Final = {
    "summary": Tool(arguments.FilterArguments, questions.ask_summary, Marker(Summary)),
    "series": Tool(arguments.SeriesArguments, questions.ask_series, Marker(list[Point])),
    "breakdown": Tool(
        arguments.BreakdownArguments, questions.ask_breakdown, Marker(list[BreakdownRow], {"key": DIMENSION_KEY})
    ),
    "top_pages": Tool(arguments.RowsArguments, questions.ask_pages, Marker(list[BreakdownRow])),
    "top_apps": Tool(arguments.RowsArguments, questions.ask_apps, Marker(list[BreakdownRow])),
    "cascades": Tool(arguments.CascadesArguments, questions.ask_cascades, Marker(list[CascadeHead])),
    "cascade": Tool(arguments.CascadeArguments, questions.ask_cascade, Marker(Cascade)),
    "token": Tool(arguments.TokenArguments, questions.ask_token, Marker(Resolution)),
    "direct_traffic": Tool(arguments.PeriodArguments, questions.ask_direct, Marker(Direct)),
    "answers": Tool(arguments.ListArguments, questions.ask_answers, Marker(questions.AnswerList, has_contacts=True)),
    "attribution": Tool(
        arguments.AttributionArguments,
        questions.ask_attribution,
        Marker(Attribution, {"channels.key": CHANNEL, "shares.key": CREDITED_SHARE}, without={"next"}),
    ),
    "campaign": Tool(arguments.CampaignArguments, questions.ask_campaign, Marker(CampaignSummary)),
    "spikes": Tool(arguments.ListArguments, questions.ask_spikes, Marker(list[SpikeView])),
}
"""In the order in which assistants get them."""
