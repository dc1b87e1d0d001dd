"""The calls about answers to "how did you hear about us?"; see ``groups``."""

from __future__ import annotations

import secrets
from datetime import datetime

from grapevine.analytics.answers import AnswerView
from grapevine.api_schemas.answers import AnswerCorrection
from grapevine.api_schemas.lists import AnswerPage
from grapevine.client.arguments import Day, asked, time_text
from grapevine.client.call import Call, Group, PagedList, Way, answer, call, pages
from grapevine.collect.schemas import Empty, KeyedAnswerRequest


class AnswersGroup(Group[Way]):
    """What people said when they were asked how they had heard of you."""

    @call("POST", "/v1/answers")
    def create(
        self,
        text: str,
        *,
        visit: str | None = None,
        token: str | None = None,
        external_id: str | int | None = None,
        contact: str | None = None,
        at: datetime | str | None = None,
    ) -> Call[Empty]:
        """Stores what somebody said, such as a note of a call, with the visit that ``visit``, ``token`` or
        ``external_id`` names, or with none. Needs the scope ``write``.

        ``at`` is when it was said, a datetime with a time zone or a text such as ``2026-11-21T09:30:00Z``; without it,
        now.
        """
        body = KeyedAnswerRequest(
            text=text,
            visit=visit,
            token=token,
            external_id=external_id,
            contact=contact,
            at=time_text(at) if isinstance(at, datetime) else at,
            nonce=secrets.token_urlsafe(24),
        )
        return Call(read=answer(Empty), body=body, is_repeatable=True)

    @pages("GET", "/v1/answers")
    def list(
        self, first: Day | None = None, last: Day | None = None, *, class_: str | None = None, page_size: int = 1_000
    ) -> PagedList[AnswerPage, AnswerView]:
        """Yields the answers of a period, the newest first; with ``class_`` those of that class alone."""
        query = {"class": class_, "limit": page_size}
        return PagedList(
            at=lambda cursor: Call(read=answer(AnswerPage), query=asked(first, last, None, **query, cursor=cursor)),
            items=lambda page: page.answers,
            next=lambda page, _: page.next,
        )

    @call("PATCH", "/v1/answers/{id}")
    def correct(self, id: str, class_: str | None) -> Call[AnswerView]:  # noqa: A002 - its name in the API
        """Gives an answer another class than the rules do, which stays; None takes that back. Needs the scope
        ``write``."""
        body = AnswerCorrection(class_=class_)
        return Call(read=answer(AnswerView), path={"id": id}, body=body, is_repeatable=True)
