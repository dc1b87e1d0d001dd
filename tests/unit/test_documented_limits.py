"""Limits that the documentation names are those of the code."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest

from grapevine.access_logs.log_file import LONGEST_LINE
from grapevine.analytics import breakdown, cascades, direct
from grapevine.analytics.attribution import MOST_CONVERSIONS
from grapevine.api_schemas import public
from grapevine.api_schemas.tokens import MOST_TOKENS
from grapevine.api_schemas.unfurls import MOST_UNFURLS
from grapevine.client import Retries
from grapevine.client import limits as answers
from grapevine.client.clients import TIMEOUT
from grapevine.collect import schemas
from grapevine.collect.conversion_input import MOST_GOAL, MOST_ID, MOST_VALUE
from grapevine.collect.rate_limit import WORDS
from grapevine.collect.user_agents import LONGEST_AGENT
from grapevine.domain import channels, enums, money, periods
from grapevine.links import bounds, words
from grapevine.links.finding import MOST_LISTED
from grapevine.links.schemas import MOST_CHARACTERS, MOST_LINKS, MOST_PLACES
from grapevine.live import limits as live
from grapevine.mcp_server import arguments, results, server, untrusted_text
from grapevine.serving.fast_path.limits import MAX_HEAD, MAX_HEADERS, MAX_URL
from grapevine.store.readers.cascades import MOST_OF_CHAIN
from grapevine.store.repositories.link_words import RESERVED_DAYS
from grapevine.unfurl_reports import worker as unfurl_worker
from grapevine.web.api import once
from grapevine.web.api.links import MAX_BODY
from grapevine.webhooks.subscriptions import MOST_AN_HOUR, MOST_OF_NETWORK, MOST_OWN_AN_HOUR
from grapevine.writer.conversions import MOST_BY_PAGES
from grapevine.writer.line_joins import WITHIN_MS

NUMBERS: Final = {2: "two", 3: "three", 4: "four", 5: "five", 7: "seven", 8: "eight", 10: "ten", 12: "twelve"}
RETRIES: Final = Retries()
BAR: Final = r"\|"
"""Between alternatives in a cell of a table."""

RESERVED: Final = live.MOST_STREAMS // live.RESERVED_PART

SENTENCES: Final = [
    ("security", f"A line of more than {LONGEST_LINE >> 10} KiB (`LONGEST_LINE`) is skipped"),
    ("links", f"that came within {NUMBERS[WITHIN_MS // 60_000]} minutes of it, one to one"),
    ("api", f"Bodies are JSON of at most {schemas.MAX_BODY >> 10} KiB"),
    ("api", f"the URL of the request may have {MAX_URL >> 10} KiB"),
    ("api", f"send at most {MAX_HEADERS} headers and {MAX_HEAD >> 10} KiB of them"),
    ("api", f"(100; at most {breakdown.MOST_ROWS:,})"),
    ("api", f"at most the first {cascades.MOST_NODES:,}"),
    ("api", f"those of the {direct.MOST_PAGES} pages with the most visits"),
    ("api", f"More than {MOST_CONVERSIONS:,} conversions at once"),
    ("api", f"It has 1 to {once.MOST_CHARACTERS} printable"),
    ("api", f"may have {once.MOST_KEPT:,} of them in 24 hours"),
    ("api", f"`goal` has 1 to {MOST_GOAL} characters, its `id` 1 to {MOST_ID}."),
    ("api", f"from 0 to {MOST_VALUE:,} with at most six decimal places"),
    ("api", f"`text` of 1 to {schemas.MAX_ANSWER} characters and may have a `contact` of up to {schemas.MAX_CONTACT}"),
    ("api", f"Amounts by currency have at most {money.MOST_CURRENCIES} entries"),
    ("api", f"of more than {MOST_OF_CHAIN} visits has its root and its last {MOST_OF_CHAIN - 1},"),
    ("api", f"A page may report {MOST_BY_PAGES} conversions of a visit"),
    ("api", f"the {NUMBERS[len(channels.USUAL)]} usual channels: {', '.join(channels.USUAL)}."),
    ("api", f"`bound={BAR.join(enums.BOUND_KINDS)}`"),
    ("api", f"`verdict={BAR.join(enums.VERDICTS)}`"),
    ("api", f"The title of the page; cut to {schemas.MAX_TITLE} characters."),
    ("api", f"The name of the goal, 1 to {MOST_GOAL} characters."),
    ("api", f"such as the number of the order, 1 to {MOST_ID} characters."),
    ("api", f"A number from 0 to {MOST_VALUE:,} with at most six decimal places"),
    ("api", f"The answer, 1 to {schemas.MAX_ANSWER} characters."),
    ("api", f"How to reach the visitor, at most {schemas.MAX_CONTACT} characters."),
    ("api", f"Resolves up to {MOST_TOKENS:,} tokens at once."),
    ("api", f"A period has {periods.DEFAULT_DAYS} days by default."),
    ("api", f"Of more than {MOST_OF_CHAIN}, these are the root and the last {MOST_OF_CHAIN - 1}."),
    ("api", f"{once.MOST_CHARACTERS} printable ASCII characters."),
    ("api", f"from 1 to {breakdown.MOST_ROWS:,}"),
    ("live", f"{live.MOST_PER_KEY} streams of one API key and {live.MOST_STREAMS} in all"),
    ("live", f"the last {RESERVED} of these {live.MOST_STREAMS} are for sites"),
    ("live", f"fewer than {NUMBERS[live.RESERVED_STREAMS]} streams in the process"),
    ("live", f"one site has at most {live.MOST_STREAMS - RESERVED}"),
    ("live", f"looks every {NUMBERS[int(live.CHECK_SECONDS)]} seconds for keys"),
    ("live", f"the page of at most {live.PAGE_EVENTS} events"),
    ("live", f"{live.MOST_PENDING_BYTES >> 10} KiB that wait"),
    ("live", f"{live.WRITES_PER_SECOND} pieces and {live.DELIVERIES_PER_SECOND:,} events a second"),
    ("live", f"for more than {live.LATE_MS // 1_000} seconds is left out"),
    ("live", f"{NUMBERS[live.WINDOW_MS // 60_000]} minutes to come back"),
    ("live", f"a comment comes every {live.HEARTBEAT_SECONDS:.0f} seconds"),
    ("live", f"asks clients to wait {NUMBERS[live.RETRY_MS // 1_000]} seconds"),
    ("mcp", f"{arguments.MOST_ROWS} rows of a list ({arguments.MOST_NODES} visits of a cascade)"),
    ("mcp", f"{results.MOST_BYTES:,} bytes of an answer"),
    ("mcp", f"{server.SECONDS:.0f} seconds for a call, {NUMBERS[server.AT_ONCE]} calls at the same time"),
    ("mcp", f"at most {untrusted_text.MOST_CHARACTERS} characters"),
    ("client", f"An answer has at most {answers.MOST_BODY >> 20} MiB"),
    ("client", f"an event of the feed, {answers.LONGEST_EVENT >> 20} MiB"),
    ("client", f"unpacked {answers.MOST_PIECE >> 10} KiB at a time"),
    ("client", f"sent up to {NUMBERS[RETRIES.attempts]} times within {RETRIES.patience:.0f} seconds"),
    ("client", f"at most {NUMBERS[int(RETRIES.longest_pause)]} seconds"),
    ("client", f"longer than {RETRIES.longest_retry_after:.0f} seconds, the exception"),
    ("client", f"takes longer than {TIMEOUT:.0f} seconds is given up"),
    ("links", f"makes up to {MOST_LINKS:,} links in one transaction, with a body of at most {MAX_BODY >> 20} MiB"),
    ("links", f"A site makes at most {bounds.MOST_A_DAY:,} links on a UTC day"),
    ("links", f"with up to {MOST_UNFURLS:,} requests at a time"),
    ("links", f"at most {unfurl_worker.MOST_WAITING:,} wait"),
    ("links", f"waits {NUMBERS[int(unfurl_worker.EXIT_SECONDS)]} seconds for them"),
    ("links", f"tried again for {NUMBERS[int(unfurl_worker.RETRIES.patience // 60)]} minutes"),
    ("webhooks", f"at most {MOST_AN_HOUR:,} `share.proven`, {MOST_AN_HOUR:,} `conversion.created` by"),
    ("webhooks", f"pages and {MOST_OWN_AN_HOUR:,} by keys in an hour"),
    ("webhooks", f"Of the {MOST_AN_HOUR:,}, at most {MOST_OF_NETWORK} are"),
    ("webhooks", f"have {MOST_OWN_AN_HOUR:,} `share.proven` of"),
    ("security", f"at most {MOST_AN_HOUR:,} events of a kind in an hour"),
    ("security", f"{MOST_OF_NETWORK} of them by visits of one network"),
    ("security", f"{MOST_UNFURLS:,} requests, {LONGEST_AGENT} characters of each user agent"),
    ("links", f"Texts have 1 to {MOST_CHARACTERS} characters"),
    ("security", f"{bounds.MOST_A_DAY:,} minted links of a site on a day and {MOST_LINKS:,} of a call"),
    ("security", f"with {NUMBERS[MOST_PLACES]} places each and texts of {MOST_CHARACTERS}"),
    ("security", f"| `/v1/links` | {MOST_LISTED:,} at a time"),
    ("links", f"{words.SHORTEST} to {words.LONGEST} letters from a to z"),
    ("links", f"A site has at most {words.MOST_WORDS:,} words"),
    ("links", f"goes to no other site for {RESERVED_DAYS} days"),
    ("links", f"one of {WORDS} attempts a minute"),
    ("links", f"from {public.LEAST_PIXELS} to {public.MOST_PIXELS:,} ({public.USUAL_PIXELS} without it)"),
    ("links", f"up to {NUMBERS[MOST_PLACES]} places"),
    ("security", f"words after `/go/` that lead nowhere; of a wide network ten times as many | {WORDS} |"),
    ("security", f"at most {words.MOST_WORDS:,} words (`MOST_WORDS`)"),
    ("security", f"no other site for {RESERVED_DAYS} days"),
    ("security", f"have at most {public.MOST_PIXELS:,} pixels"),
    ("security", f"trailers | {MAX_HEAD >> 10} KiB |"),
    ("security", f"| URL | {MAX_URL >> 10} KiB |"),
    ("security", f"not read | {live.MOST_PENDING_BYTES >> 10} KiB"),
]


@pytest.mark.parametrize(("page", "sentence"), SENTENCES)
def test_a_page_names_the_limit_that_there_is(page: str, sentence: str, project_root: Path) -> None:
    text = (project_root / f"docs/{page}.md").read_text("utf-8")
    assert sentence in " ".join(text.split())
