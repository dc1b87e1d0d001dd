"""The page "Direct traffic": measured numbers, evidence and the estimate, each marked as what it is."""

from __future__ import annotations

from typing import Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from grapevine.analytics.direct import Direct, direct_summary
from grapevine.analytics.models import dark_social
from grapevine.domain.periods import Period
from grapevine.web.dashboard import formats
from grapevine.web.dashboard.first_steps import steps_context
from grapevine.web.dashboard.page import dashboard_page, viewer_context
from grapevine.web.dashboard.rendering import render_page

TABLE_ROWS: Final = 12


class Bar(msgspec.Struct, frozen=True):
    """One number as a bar: its kind (``labels.HONESTY``), its colour, and for an estimate the ends of its interval."""

    kind: str
    tone: str
    label: str
    text: str
    value: int
    low: int | None = None
    high: int | None = None


class NoEstimate(msgspec.Struct, frozen=True):
    """The reason why there is no estimate, and a remedy."""

    why: str
    remedy: str


@dashboard_page
async def direct_page(request: Request) -> Response:
    """``GET /direct``. Returns the direct visits of a period.

    It takes no filters, because the estimate needs all visits of a page.
    """
    state, viewer, view_url = await viewer_context(request, "direct")
    period = view_url.period(state.clock())
    found = await direct_summary(state.store.reads, viewer.site, period)
    drawn = bars(found)
    return render_page(
        "direct.html",
        **request.state.frame,
        period=period,
        found=found,
        bars=drawn,
        most=max(bar.high or bar.value for bar in drawn),
        no_estimate=no_estimate(found, period),
        level=round(found.estimate.level * 100),
        days=dark_social.FEWEST_DAYS,
        shown=TABLE_ROWS,
        **await steps_context(request, state, viewer, wanted=not found.measured.visits),
    )


def bars(found: Direct) -> list[Bar]:
    """Returns the parts of direct traffic: measured ones first, then evidence, then the estimate if there is one."""
    measured, evidence, guess = found.measured, found.evidence, found.estimate
    drawn = [
        Bar(
            kind="measured",
            tone="returns",
            label="Private returns",
            text="Came with a share token through a private channel. Without the token they would be counted as direct "
            "visits.",
            value=measured.private_returns,
        ),
        Bar(
            kind="measured",
            tone="visits",
            label="Direct, inner page",
            text="No referrer, no campaign, no token, on an inner page.",
            value=measured.deep,
        ),
        Bar(
            kind="measured",
            tone="visits",
            label="Direct, home page",
            text="No referrer, no campaign, no token, on the home page: typed or bookmarked.",
            value=measured.home,
        ),
        Bar(
            kind="evidence",
            tone="evidence",
            label="Brought by an app",
            text="Without a token, but the browser or the referrer named an app.",
            value=evidence.in_app + evidence.app_referrer,
        ),
    ]
    if guess.value is not None:
        text = (
            f"Of {formats.count(guess.of, 'direct visit')} to inner pages, this many opened a link that somebody sent."
        )
        drawn.append(Bar("estimated", "estimated", "Private shares", text, guess.value, guess.low, guess.high))
    return drawn


def no_estimate(found: Direct, period: Period) -> NoEstimate | None:
    """Returns why there is no estimate; None when there is one."""
    if found.estimate.reason is None:
        return None
    returns = sum(one.private_returns for one in found.pages)
    days, visits = formats.count(len(period.days), "day"), formats.count(found.estimate.of, "direct visit")
    reasons = {
        "too-few-days": NoEstimate(
            f"The period has {days}; at least {dark_social.FEWEST_DAYS} are needed.",
            "The estimate has to see sharing rise and fall from day to day. Choose a longer period; on a new site, "
            "come back later.",
        ),
        "too-few-deep-visits": NoEstimate(
            f"There was {visits} to inner pages; at least {dark_social.FEWEST_DEEP} are needed."
            if found.estimate.of == 1
            else f"There were {visits} to inner pages; at least {dark_social.FEWEST_DEEP} are needed.",
            "With fewer, chance decides. Choose a longer period; on a new site, come back later.",
        ),
        "too-few-returns": NoEstimate(
            f"At least {dark_social.FEWEST_RETURNS} private returns are needed; the pages below have "
            f"{formats.number(returns)}.",
            "A private return is a visit through a link that one person sent to another. Tracked links, QR codes and "
            "print do not count here: the site hands them out itself. Choose a longer period; share buttons on the "
            "pages bring more private returns.",
        ),
        "returns-do-not-move": NoEstimate(
            "Private returns do not rise and fall together enough to tell waves of sharing from luck.",
            "Direct visits that come in the same waves are what the estimate counts. Choose a longer period, or one in "
            "which something was passed on a lot.",
        ),
        "too-uncertain": NoEstimate(
            f"The interval would be wider than {round(dark_social.WIDEST * 100)} points of a hundred: as good as no "
            "answer.",
            "More days make it narrower. Choose a longer period.",
        ),
    }
    return reasons.get(found.estimate.reason, NoEstimate(f"The method says: {found.estimate.reason}.", ""))
