"""The calls about mentions; see ``groups``."""

from __future__ import annotations

from grapevine.analytics.mentions import Kind, MentionView
from grapevine.api_schemas.lists import MentionList
from grapevine.client.arguments import Day, asked
from grapevine.client.call import Call, Group, PagedList, Way, answer, pages


class MentionsGroup(Group[Way]):
    """Pages elsewhere that mention pages of a site."""

    @pages("GET", "/v1/mentions")
    def list(
        self,
        first: Day | None = None,
        last: Day | None = None,
        *,
        page: str | None = None,
        kind: Kind | None = None,
        gone: bool | None = None,
        page_size: int = 100,
    ) -> PagedList[MentionList, MentionView]:
        """Yields the mentions that became known in a period, the newest first; of one ``page``, of a ``kind``, and
        those whose source is ``gone`` or not, if given."""
        return PagedList(
            at=lambda cursor: Call(
                read=answer(MentionList),
                query=asked(
                    first,
                    last,
                    page=page,
                    kind=kind,
                    gone=None if gone is None else str(gone).lower(),
                    limit=page_size,
                    cursor=cursor,
                ),
            ),
            items=lambda found: found.mentions,
            next=lambda found, _: found.next,
        )
