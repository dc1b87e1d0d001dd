"""``/v1/stats/answers``, ``/v1/answers``: what people said, read, listed and corrected with a key."""

from __future__ import annotations

from typing import Annotated, Final

import msgspec

from grapevine.analytics.answers import (
    MOST_ANSWERS,
    AnswerStats,
    AnswerView,
    ClassName,
    answer_stats,
    answer_view,
    check_class,
    list_answers,
)
from grapevine.api_schemas.answers import AnswerCorrection, AnswerPath
from grapevine.api_schemas.lists import AnswerPage
from grapevine.api_schemas.queries import PeriodQuery
from grapevine.collect.rate_limit import ANSWER_CORRECTIONS
from grapevine.domain import ids
from grapevine.errors import Invalid, NotFound, RateLimited
from grapevine.sites.cache import Site
from grapevine.store.readers.answers import MeasuredAnswer
from grapevine.web.api.call import SiteCall
from grapevine.web.api.operation import Operation, RequestBody, ResponseSpec
from grapevine.web.state import AppState

MAX_BODY: Final = 1_024
_ID: Final = 22
_VISIT: Final = 11


class AnswersQuery(PeriodQuery, frozen=True, kw_only=True, rename={"class_": "class", "first": "from", "last": "to"}):
    """The parameters of ``GET /v1/answers``."""

    class_: ClassName | None = None
    """Only answers of this class."""
    limit: Annotated[int, msgspec.Meta(ge=1, le=MOST_ANSWERS)] = 100
    """How many answers at most, the newest first."""
    cursor: str | None = None
    """Where the page begins: `next` of the page before."""


async def get_answer_stats(call: SiteCall, query: PeriodQuery) -> AnswerStats:
    """What people said beside what was measured of the same visits.

    Self-reported and measured numbers are never added up: each class of answers has the sources of its visits beside
    it, and how often both agree, with an interval. Answers without a visit and of suspects are counted, not compared.
    """
    return await answer_stats(call.reads, call.site, query.period(call.now))


async def get_answers(call: SiteCall, query: AnswersQuery) -> AnswerPage:
    """The answers of a period, the newest first.

    `text` and `contact` are what somebody typed: show them as text.
    """
    found = await list_answers(
        call.reads, call.site, query.period(call.now), query.limit, class_=query.class_, cursor=query.cursor
    )
    return AnswerPage(answers=found.answers, next=found.next)


async def correct_answer(call: SiteCall, path: AnswerPath, body: AnswerCorrection) -> AnswerView:
    """Gives an answer another class than the rules do.

    The correction wins and stays, also when newer rules classify all answers anew; null takes it back. The text never
    changes.
    """
    return await corrected(call.state, call.site, path.id, body.class_)


async def corrected(state: AppState, site: Site, answer: str, class_: str | None) -> AnswerView:
    """Corrects the class of an answer; returns the answer. Raises Invalid for a class that does not exist, NotFound,
    and RateLimited where the site's answers were corrected too often."""
    wait = state.rate_limit.answer_correction(site.site_id, state.clock())
    if wait:
        raise RateLimited(
            f"Answers of this site were corrected {ANSWER_CORRECTIONS} times within a minute, which is the most. "
            f"Go on in {wait} s.",
            retry_after=wait,
        )
    if class_ is not None:
        check_class(class_)
    visit_id, key = _numbers(answer)
    row = await state.store.answers.correct(site.site_id, visit_id, key, class_)
    if row is None:
        raise NotFound("This site has no answer with that id: it was erased, or is past retention.")
    return answer_view(MeasuredAnswer(row=row, source=None, channel=None, verdict=None))


def _numbers(text: str) -> tuple[int, int]:
    visit_id, key = ids.visit_number(text[:_VISIT]), ids.key_number(text[_VISIT:])
    if len(text) != _ID or visit_id is None or key is None:
        raise Invalid.of("id", "is not the id of an answer: those are 22 letters and digits")
    return visit_id, key


OPERATIONS: Final = [
    Operation(
        method="GET",
        path="/v1/stats/answers",
        handler=get_answer_stats,
        tag="answers",
        scope="read",
        query=PeriodQuery,
        responses={200: ResponseSpec(AnswerStats, "The answers by class.")},
    ),
    Operation(
        method="GET",
        path="/v1/answers",
        handler=get_answers,
        tag="answers",
        scope="read",
        query=AnswersQuery,
        responses={200: ResponseSpec(AnswerPage, "The answers of the period.")},
    ),
    Operation(
        method="PATCH",
        path="/v1/answers/{id}",
        handler=correct_answer,
        tag="answers",
        scope="write",
        path_params=AnswerPath,
        body=RequestBody(AnswerCorrection, MAX_BODY),
        responses={200: ResponseSpec(AnswerView, "The answer as it is now; without what was measured of its visit.")},
        problems=(NotFound, RateLimited),
    ),
]
