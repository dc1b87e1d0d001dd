"""Requests that erase visits, asked of two servers."""

from __future__ import annotations

import random
from urllib.parse import urlencode

from tests.support.user_agents import CHROME
from tests.web.backend_pair import LIVELY, Pair
from tests.web.read_requests import ReadClient, sign_in, some
from tests.web.traffic import Author, Person


async def erase_some(pair: Pair, author: Author, chance: random.Random) -> None:
    """Visitors erase their own visits, and owners those of others: by id, by token, and on the dashboard."""
    origin = ("Origin", "http://grapevine.example")
    for site in LIVELY:
        owner, visitor = ReadClient(f"admin-{site.site_id}"), Person("192.0.2.250", CHROME, "en", None)
        sessions = chance.sample(author.sessions[site.key], 15)
        for text in (*sessions, sessions[0], author.tokens[site.key][0], "x"):
            await pair.ask(visitor.call("/v1/forget", {"site": site.key, "session": text}, site.origins[0]))
        named = [*some(author.visits[site.key], 15, chance), *some(author.tokens[site.key], 5, chance), "x"]
        for text in (*named, named[0], author.tokens[LIVELY[-site.site_id].key][0]):
            await pair.ask(owner.post(f"/v1/visits/{text}", b"", method="DELETE"))
        answer = await pair.ask(sign_in(f"admin-{site.site_id}"))
        viewer = ReadClient(cookie=dict(answer.headers)["set-cookie"].partition(";")[0])
        for text in (*some(author.visits[site.key], 5, chance), "x"):
            await pair.ask(viewer.post("/tokens/erase", urlencode({"visit": text, "sure": "yes"}).encode(), origin))
