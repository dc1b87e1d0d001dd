"""The page "Conversions": goals, and the credit of channels, pages and shares for them."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from grapevine.analytics.attribution import attribute_conversions
from grapevine.analytics.goals import conversions_by_goal
from grapevine.analytics.models.attribution import MODELS, Attribution
from grapevine.web.dashboard import labels
from grapevine.web.dashboard.first_steps import steps_context
from grapevine.web.dashboard.page import dashboard_page, viewer_context
from grapevine.web.dashboard.rendering import render_page

TABLE_ROWS: Final = 12
MOST_ROWS: Final = 100
MOST_CURRENCIES: Final = 6
"""Columns of currencies, those of the most conversions; the others have one column for all of them."""
USUAL_MODEL: Final = "linear"


class Segment(msgspec.Struct, frozen=True):
    """A part of the bar of all conversions: it begins at ``x`` and is ``width`` wide, both in per cent of the bar.

    ``tone`` is its colour.
    """

    tone: str
    label: str
    conversions: Decimal
    x: float
    width: float


@dashboard_page
async def conversions_page(request: Request) -> Response:
    """``GET /conversions``. Returns the goals of a period, and the credit for them after ``model``."""
    state, viewer, view_url = await viewer_context(request, "conversions")
    period, filters = view_url.period(state.clock()), view_url.filters()
    model, goal = view_url.params.get("model", USUAL_MODEL), view_url.params.get("goal")
    reads = state.store.reads
    found = await attribute_conversions(reads, viewer.site, model, period, filters, goal, MOST_ROWS)
    reached = await conversions_by_goal(reads, viewer.site, period, filters)
    return render_page(
        "conversions.html",
        **request.state.frame,
        period=period,
        found=found,
        goals=reached,
        goal=goal,
        currencies=sorted(reached.currencies[:MOST_CURRENCIES]),
        more_currencies=max(0, len(reached.currencies) - MOST_CURRENCIES),
        model=model,
        models=MODELS,
        segments=segments(found),
        owed=found.conversions - Decimal(found.without_share.conversions),
        shown=TABLE_ROWS,
        **await steps_context(request, state, viewer, wanted=not reached.number),
    )


def segments(found: Attribution) -> list[Segment]:
    """Returns the parts of the bar: families of channels, the largest first, then conversions without a share."""
    if not found.conversions:
        return []
    families: dict[str, Decimal] = {}
    for row in found.channels:
        family = labels.family(row.key)
        families[family] = families.get(family, Decimal()) + Decimal(row.conversions)
    order = sorted(families, key=lambda family: (-families[family], family))
    parts = [(family, labels.FAMILIES[family], families[family]) for family in order]
    parts.append(("none", "no share", Decimal(found.without_share.conversions)))
    return _side_by_side(parts, found.conversions)


def _side_by_side(parts: Sequence[tuple[str, str, Decimal]], whole: int) -> list[Segment]:
    drawn: list[Segment] = []
    x = 0.0
    for tone, label, number in parts:
        if number:
            width = 100 * float(number) / whole
            drawn.append(Segment(tone, label, number, round(x, 3), round(width, 3)))
            x += width
    return drawn
