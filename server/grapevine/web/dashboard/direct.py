"""The page "Direct traffic": measured numbers, evidence and the estimate, each marked as what it is."""

from __future__ import annotations

from typing import Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from grapevine.analytics.direct import Direct, Missing, direct_summary
from grapevine.analytics.models.dark_evidence import estimate as dark_evidence
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
        days=dark_evidence.FEWEST_DAYS,
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
        Bar(
            kind="evidence",
            tone="evidence",
            label="Source by click id",
            text="Without any of these, but the address had the click id of a network or an advertiser, such as "
            "fbclid, for the first time.",
            value=evidence.arrivals.decided_by_click_id,
        ),
        Bar(
            kind="evidence",
            tone="evidence",
            label="Copied address",
            text="Direct visits with a click id that another visitor had come with before. The direct visits above "
            "include them.",
            value=evidence.arrivals.copied_address_direct,
        ),
        Bar(
            kind="evidence",
            tone="evidence",
            label="Link to a passage",
            text="The link named a passage of the page to be highlighted, usually made by a person. From any source.",
            value=evidence.arrivals.highlight_link,
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
    guess = found.estimate
    if guess.reason is None:
        return None
    days, visits = formats.count(len(period.days), "day"), formats.count(guess.of, "direct visit")
    returns = sum(one.private_returns for one in found.pages)
    lacking = guess.missing
    reasons = {
        "too-few-days": NoEstimate(
            f"The period has {days}; at least {dark_evidence.FEWEST_DAYS} are needed.",
            "The estimate compares days with each other. Choose a longer period; on a new site, come back later.",
        ),
        "too-few-deep-visits": NoEstimate(
            f"There {'was' if guess.of == 1 else 'were'} {visits} to inner pages; at least "
            f"{dark_evidence.FEWEST_DEEP} are needed.",
            "With fewer, chance decides. Choose a longer period; on a new site, come back later.",
        ),
        "too-few-returns": NoEstimate(
            f"At least {dark_evidence.FEWEST_RETURNS} private returns are needed; the pages below have "
            f"{formats.number(returns)}.",
            "A private return is a visit through a link that one person sent to another. Tracked links, QR codes and "
            "print do not count here: the site hands them out itself. Choose a longer period; share buttons on the "
            "pages bring more private returns.",
        ),
        "too-uncertain": NoEstimate(
            f"The interval would be {_width(lacking)} points of a hundred wide; at most "
            f"{round(dark_evidence.WIDEST * 100)} are shown.",
            "More days make it narrower. Choose a longer period.",
        ),
    }
    said = reasons.get(guess.reason, NoEstimate(f"The method says: {guess.reason}.", ""))
    if guess.expected is None:
        return said
    span = f"from {formats.calendar(period.first)} to {formats.calendar(guess.expected)}"
    when = f" If all goes on like this, a period {span} probably has an estimate."
    return NoEstimate(said.why, said.remedy + when)


def _width(lacking: Missing | None) -> int:
    return round(100 * dark_evidence.WIDEST + (lacking.points if lacking else 0))
