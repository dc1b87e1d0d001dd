"""Requests that report unfurls, asked of two servers."""

from __future__ import annotations

import random

import msgspec

from grapevine.domain import ids
from grapevine.domain.periods import rfc3339
from tests.support.user_agents import CHROME
from tests.web.backend_pair import LIVELY, Pair
from tests.web.read_requests import ReadClient
from tests.web.traffic import Author


async def report_unfurls(pair: Pair, author: Author, chance: random.Random) -> None:
    """Owners of sites report what their own servers saw: previews, assistants, people, broken and foreign tokens."""
    agents = ("Slackbot-LinkExpanding 1.0", "MistralAI-User/1.0", "Perplexity-User/1.0", CHROME, "")
    for site in LIVELY:
        tokens = [
            *chance.sample(author.tokens[site.key], 40),
            *author.tokens[LIVELY[site.site_id % len(LIVELY)].key][:2],
            "x",
        ]
        times = (None, rfc3339(author.at - ids.DAY_MS), rfc3339(author.at + ids.DAY_MS), "yesterday")
        sent = [
            {"token": token, "agent": agent} | ({} if (at := chance.choice(times)) is None else {"at": at})
            for token in tokens
            for agent in agents
        ]
        for _ in range(2):
            body = msgspec.json.encode({"unfurls": sent})
            results = (await pair.ask(ReadClient(f"write-{site.site_id}").post("/v1/unfurls", body))).json["results"]
            assert {each["app"] for each in results} == {"slack", "mistral", "perplexity", None}
            assert {each["error"] for each in results} >= {None, "not-a-token", "bad-signature", "invalid"}
