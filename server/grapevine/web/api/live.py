"""``GET /v1/live``: the live feed as server-sent events (WHATWG HTML, 9.2). Scope ``read``."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from typing import Final

from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from grapevine.api_schemas.live import EVENTS, LiveEvents, LiveQuery
from grapevine.errors import Invalid
from grapevine.live.position import HEADER, read_position
from grapevine.web.api.call import SiteCall
from grapevine.web.api.operation import Operation, ResponseSpec
from grapevine.web.responses import NO_STORE, head_of_stream

PATH: Final = "/v1/live"

_EVENT_STREAM: Final = "text/event-stream"
_HEADERS: Final = NO_STORE | {"Content-Type": _EVENT_STREAM, "X-Accel-Buffering": "no"}
"""nginx keeps an answer until some kilobytes have come, unless the answer says otherwise."""


class EventStream(StreamingResponse):
    """A stream; ``at_end`` is called when it has ended, whatever the reason."""

    def __init__(self, pieces: AsyncGenerator[bytes, None], at_end: Callable[[], None]) -> None:
        super().__init__(pieces, headers=_HEADERS)
        self._pieces = pieces
        self._at_end = at_end

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._at_end()
            await self._pieces.aclose()  # a client that left may have left in the middle of a piece


async def follow_live(call: SiteCall, query: LiveQuery) -> Response:
    """Visits, shares, returns and conversions of a site, as they are stored.

    A stream of server-sent events that does not end by itself. Its first event is `start`; what is reported from then
    on is in it. A client that connects again, with the last `id` that it got in `Last-Event-ID`, is given what it
    missed in the last five minutes. Where something cannot be sent any more, there is a `gap`; the last event of a
    stream that the server ends is `end`."""
    kinds = None if query.kinds is None else frozenset(each.strip() for each in query.kinds.split(","))
    if kinds is not None and not kinds <= frozenset(EVENTS):
        raise Invalid.of("kinds", f"must be some of {', '.join(EVENTS)}, with commas between them")
    last = call.request.headers.get(HEADER)
    position = read_position(last) if last else None
    if call.request.method == "HEAD":
        return head_of_stream(_HEADERS)
    live = call.state.live
    live.enter(call.key, call.site)
    try:
        await live.prepare(call.site)
    except BaseException:
        live.leave(call.key, call.site)
        raise
    return EventStream(live.stream(call.site, call.key, kinds, position), lambda: live.leave(call.key, call.site))


OPERATIONS: Final = [
    Operation(
        method="GET",
        path=PATH,
        handler=follow_live,
        tag="live",
        scope="read",
        query=LiveQuery,
        request_headers=(HEADER,),
        responses={
            200: ResponseSpec(LiveEvents, "The stream, as long as it lasts.", (_EVENT_STREAM,), ("X-Accel-Buffering",))
        },
    ),
]
