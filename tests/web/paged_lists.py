"""Lists of the API and of the dashboard, read on both stores from their first page to their last."""

from __future__ import annotations

import re
from html import unescape
from urllib.parse import urlencode

from tests.web.backend_pair import Pair
from tests.web.read_requests import ReadClient
from tests.web.traffic import RecordedCall


async def go_on(pair: Pair, asker: ReadClient, first: RecordedCall) -> None:
    """A list from its first page to its last: by its link, or by the cursor in the answer."""
    call: RecordedCall | None = first
    while call is not None:
        answer = await pair.ask(call)
        link = re.match(r'<(.*)>; rel="next"', dict(answer.headers).get("link", ""))
        following = answer.json.get("next") if isinstance(answer.json, dict) else None
        if link is not None:
            call = asker.get(first.path.partition("?")[0] + link[1])
        else:
            call = following and first._replace(path=f"{first.path}&{urlencode({'cursor': following})}")


async def turn_pages(pair: Pair, reader: ReadClient, first: RecordedCall) -> None:
    """A list of the dashboard from its first page to its last."""
    call: RecordedCall | None = first
    while call is not None:
        answer = await pair.ask(call)
        following = re.search(rb'href="([^"]*cursor=[^"]*)"', answer.body)
        call = reader.get(unescape(following[1].decode())) if following else None
