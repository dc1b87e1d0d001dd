"""The page "Answers": what people said beside what was measured, the answers, and a form to correct a class."""

from __future__ import annotations

from typing import Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from grapevine.analytics.answers import AnswerStats, answer_stats, list_answers
from grapevine.domain.enums import ANSWER_CLASSES
from grapevine.errors import Forbidden
from grapevine.web.api.answers import corrected
from grapevine.web.dashboard.page import Viewer, dashboard_page, viewer_context
from grapevine.web.dashboard.rendering import render_page
from grapevine.web.dashboard.security import read_form, refuse_foreign
from grapevine.web.state import app_state

PAGE_OF_ANSWERS: Final = 25
BY_RULES: Final = "rules"
"""What the form says to take a correction back."""


def may_correct(viewer: Viewer) -> bool:
    """Returns whether the viewer's key allows to correct classes."""
    return viewer.key.scope in ("write", "admin")


@dashboard_page
async def answers_page(request: Request) -> Response:
    """``GET /answers``. Returns the classes of a period beside the measured sources, and one page of the answers."""
    state, viewer, view_url = await viewer_context(request, "answers")
    period, chosen = view_url.period(state.clock()), view_url.params.get("class")
    reads, site = state.store.reads, viewer.site
    stats = await answer_stats(reads, site, period)
    found = await list_answers(
        reads, site, period, PAGE_OF_ANSWERS, class_=chosen, cursor=view_url.params.get("cursor")
    )
    return render_page(
        "answers.html",
        **request.state.frame,
        period=period,
        stats=stats,
        sources=_sources(stats),
        found=found,
        chosen=chosen,
        classes=ANSWER_CLASSES,
        by_rules=BY_RULES,
        may_correct=may_correct(viewer),
        corrected=view_url.params.get("corrected") is not None,
    )


@dashboard_page
async def correct_class(request: Request) -> Response:
    """``POST /answers/correct``. Gives an answer the class that the form names, or takes a correction back."""
    refuse_foreign(request, app_state(request).settings)
    state, viewer, view_url = await viewer_context(request, "answers")
    if not may_correct(viewer):
        raise Forbidden("This key may not correct answers; sign in with one of scope write or admin.")
    form = await read_form(request)
    name = form.get("class", "")
    await corrected(state, viewer.site, form.get("answer", ""), None if name == BY_RULES else name)
    kept = {name: view_url.params[name] for name in ("from", "to", "days", "class") if name in view_url.params}
    return RedirectResponse(view_url.to("/answers", corrected="yes", **kept), 303)


def _sources(stats: AnswerStats) -> list[str]:
    """Returns the sources that have answers, those of the most first."""
    totals: dict[str, int] = {}
    for each in stats.classes:
        for source, times in each.sources.items():
            totals[source] = totals.get(source, 0) + times
    return sorted(totals, key=lambda source: (-totals[source], source))
