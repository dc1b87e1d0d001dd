"""Receives Grapevine's webhooks and posts each event as a message to a channel of Slack.

Slack's incoming webhooks take messages, and no events: this program stands between. It answers 204 when Slack took the
message, and 503 when it did not, so that Grapevine sends the event again. Run it behind https, and add its address as
an endpoint:

    pip install httpx standardwebhooks starlette uvicorn
    WEBHOOK_SECRET=whsec_… SLACK_WEBHOOK_URL=https://hooks.slack.com/services/… \\
        uvicorn --factory slack_receiver:app --port 8080 --no-access-log
"""

import asyncio
import html
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import quote

import httpx
from standardwebhooks import Webhook, WebhookVerificationError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

MOST_BYTES = 262_144
MOST_IDS = 10_000
LONGEST_TEXT = 1_500  # of one value, as it is sent; Slack takes 3,000 characters in a section
LONGEST_LINK = 2_800
SLACK_SECONDS = 8.0  # two events come at a time and one waits for the other; Grapevine waits 20 seconds

TITLES = {
    "share.proven": "A share brought somebody",
    "conversion.created": "A conversion",
    "cascade.milestone": "A cascade has grown",
    "answer.created": "Somebody said how they heard of the site",
    "mention.created": "A page mentions the site",
    "spike.detected": "A page has far more returns than usual",
    "site.silent": "The site has no visits",
}
SHOWN = {
    "share.proven": {"channel": "Channel", "depth": "Depth", "link": "Link", "at": "At"},
    "conversion.created": {"goal": "Goal", "value": "Value", "id": "Id", "refund_of": "Refund of", "via": "Through",
                           "link": "Link", "by": "Reported by", "at": "At"},
    "cascade.milestone": {"size": "Visits", "max_depth": "Generations", "link": "Link", "started_at": "Since"},
    "answer.created": {"text": "Answer", "class": "Class", "channel": "Channel", "contact": "Contact", "at": "At"},
    "mention.created": {"title": "Title", "author": "Author", "source": "Address", "kind": "Kind", "at": "At"},
    "spike.detected": {"returns": "Returns in an hour", "expected": "Usual", "times": "Times", "at": "At"},
    "site.silent": {"hours": "Hours", "since": "Since", "expected": "Usual visits", "visits_a_day": "Visits a day"},
}  # fmt: skip
"""Which fields of an event a message has, and what they are called there."""


def escaped(text: str, longest: int) -> str:
    """Returns a text as Slack shows it unchanged, in one line, cut where it would be too long, never in an entity."""
    clean = "".join(letter if letter.isprintable() else " " for letter in text[:longest]).strip()
    most = len(clean)
    while len(html.escape(clean[:most], quote=False)) >= longest:
        most = most * 9 // 10
    return html.escape(clean[:most], quote=False) + ("…" if most < len(clean) or len(text) > longest else "") or "–"


def said(field: str, data: dict[str, Any]) -> str:
    """Returns what a message says of a field; empty where the event says nothing of it."""
    value = data.get(field)
    if field == "value" and value is not None:
        return f"{value} {data.get('currency') or ''}"
    if isinstance(value, dict):  # a share or a minted link: its best name
        value = value.get("label") or value.get("external_id") or value.get("channel") or value.get("token")
    return "" if value is None else str(value)


def plain(text: str) -> dict[str, Any]:
    """Returns a section of plain text: what visitors wrote is no markup in it, and mentions nobody."""
    return {"type": "section", "text": {"type": "plain_text", "text": text, "emoji": False}}


def message(event: dict[str, Any]) -> dict[str, Any]:
    """Returns the message of an event: https://docs.slack.dev/reference/block-kit/blocks."""
    kind, data = str(event["type"]), event["data"]
    title = TITLES.get(kind, kind)[:150]
    title = "A refund" if data.get("refund_of") else title
    blocks: list[dict[str, Any]] = [{"type": "header", "text": {"type": "plain_text", "text": escaped(title, 150)}}]
    for field, name in SHOWN.get(kind, {}).items():
        if text := said(field, data):
            blocks.append(plain(f"{name}: {escaped(text, LONGEST_TEXT)}"))
    if page := data.get("page"):
        link = html.escape(quote(page, safe=":/?#[]@!$&'()*+,;=%~"), quote=False)
        if page.startswith(("https://", "http://")) and len(link) <= LONGEST_LINK:
            opening = {"type": "mrkdwn", "text": f"<{link}|Open the page>", "verbatim": True}
            blocks.append({"type": "section", "text": opening})
        blocks.append(plain(f"Page: {escaped(page, LONGEST_TEXT)}"))
    return {"text": escaped(title, 150), "blocks": blocks, "unfurl_links": False, "unfurl_media": False}


class Receiver:
    """Posts each event once, as long as the program runs: it remembers the ids of the last 10,000."""

    def __init__(self, secret: str, slack: str) -> None:
        self._webhook = Webhook(secret)
        self._slack = slack
        self._client: httpx.AsyncClient | None = None
        self._posted: dict[str, None] = {}
        self._one_at_a_time = asyncio.Lock()  # Slack takes about one message a second

    @asynccontextmanager
    async def running(self, _: Starlette) -> AsyncIterator[None]:
        """Holds the connections to Slack open as long as the program runs."""
        async with httpx.AsyncClient(timeout=SLACK_SECONDS) as self._client:
            yield

    async def receive(self, request: Request) -> Response:
        """Answers a delivery."""
        body = b""
        async for piece in request.stream():
            body += piece
            if len(body) > MOST_BYTES:
                return Response("The event is too long.", 413)
        try:
            event = self._webhook.verify(body, dict(request.headers))
        except (WebhookVerificationError, ValueError):
            return Response("Grapevine did not sign this.", 401)
        async with self._one_at_a_time:
            return await self._post(request.headers["webhook-id"], event)

    async def _post(self, number: str, event: dict[str, Any]) -> Response:
        if number in self._posted:
            return Response(status_code=204)
        assert self._client is not None  # noqa: S101  # Starlette opened it
        try:
            async with asyncio.timeout(SLACK_SECONDS):
                answer = await self._client.post(self._slack, json=message(event))
        except (httpx.HTTPError, TimeoutError):
            return Response("Slack did not answer.", 503)
        if answer.status_code != 200:
            later = {"Retry-After": answer.headers["Retry-After"]} if "Retry-After" in answer.headers else None
            return Response(f"Slack answered {answer.status_code}.", 503, later)
        self._posted[number] = None
        if len(self._posted) > MOST_IDS:
            del self._posted[next(iter(self._posted))]
        return Response(status_code=204)


def app(secret: str | None = None, slack: str | None = None) -> Starlette:
    """Returns the program; what is not given comes from the environment."""
    environ = os.environ
    receiver = Receiver(secret or environ["WEBHOOK_SECRET"], slack or environ["SLACK_WEBHOOK_URL"])
    return Starlette(routes=[Route("/", receiver.receive, methods=["POST"])], lifespan=receiver.running)
