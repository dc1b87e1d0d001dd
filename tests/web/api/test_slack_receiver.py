"""The documented receiver for Slack: a process of its own, between a server's webhooks and a stand-in for Slack.

The stand-in refuses what the models of Slack's own package refuse (the limits of Slack's documentation).
"""

from __future__ import annotations

import asyncio
import html
import json
import os
import re
import secrets
import sys
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar, Final

import httpx
import msgspec
import pytest
from slack_sdk.errors import SlackObjectFormationError
from slack_sdk.models.blocks import Block, HeaderBlock, SectionBlock

from grapevine.config.settings import Settings
from grapevine.webhooks import payloads
from grapevine.webhooks.signing import EVENTS, event, headers, new_id
from tests.support.in_process_server import ORIGIN, Server, serving
from tests.web.api.test_read_api import with_key

pytestmark = [pytest.mark.anyio, pytest.mark.process]

EXAMPLES: Final = Path(__file__).resolve().parents[3] / "docs" / "examples"
DEADLINE: Final = 60
HOSTILE: Final = (
    "<!channel> <@U1|boss> *bold* <https://evil.example|Click> & &lt;b&gt;\nValue: 9 \u202e https://evil.example `x`"
)
LONG: Final = "<&>" * 2_000
PAGE: Final = "https://www.example.com/bread?a=1&b=<x>|*y* z"


class Slack(BaseHTTPRequestHandler):
    """Takes messages as Slack's incoming webhooks do. ``says`` are the statuses of the next answers."""

    said: ClassVar[list[Any]] = []
    says: ClassVar[list[int]] = []
    refused: ClassVar[list[str]] = []

    def do_POST(self) -> None:
        message = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        status = self.says.pop(0) if self.says else 200
        if (wrong := invalid(message)) or status != 200:
            self.refused.append(wrong)
            status = 400 if wrong else status
        else:
            self.said.append(message)
        body = b"ok" if status == 200 else b"invalid_blocks"
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        if status == 429:
            self.send_header("Retry-After", "30")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


def invalid(message: Any) -> str:
    """What Slack's models say against a message, and its documentation where they do not look; empty for nothing."""
    try:
        blocks = Block.parse_all(message["blocks"])
        for block in blocks:
            assert isinstance(block, HeaderBlock | SectionBlock), block
            assert block.text is not None, block
            assert block.to_dict() == block.get_non_null_attributes()  # which checks it
            assert 1 <= len(block.text.text) <= (150 if isinstance(block, HeaderBlock) else 3_000), block
            assert block.text.type == "plain_text" or isinstance(block, SectionBlock)
        assert [block.to_dict() for block in blocks] == message["blocks"], "a field that they do not know"
        assert 1 <= len(blocks) <= 50, len(blocks)
        assert 1 <= len(message["text"]) <= 4_000
    except (AssertionError, SlackObjectFormationError, KeyError) as error:
        return repr(error)
    return ""


@contextmanager
def slack() -> Iterator[str]:
    """Yields the URL of a stand-in for Slack while it runs."""
    Slack.said, Slack.says, Slack.refused = [], [], []
    with ThreadingHTTPServer(("127.0.0.1", 0), Slack) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/services/T1/B1/x"
        finally:
            server.shutdown()
            thread.join()


@asynccontextmanager
async def reserved() -> AsyncIterator[int]:
    """Yields a free port."""
    server = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()
    yield port


@asynccontextmanager
async def example(secret: str, slack_url: str, port: int) -> AsyncIterator[str]:
    """Yields the URL of the example's process while it runs."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "uvicorn", "--factory", "slack_receiver:app", "--port", str(port), "--no-access-log",
        cwd=EXAMPLES, stderr=asyncio.subprocess.PIPE,
        env=os.environ | {"WEBHOOK_SECRET": secret, "SLACK_WEBHOOK_URL": slack_url, "no_proxy": "*"},
    )  # fmt: skip
    try:
        assert process.stderr is not None
        async with asyncio.timeout(DEADLINE):
            while b"running on" not in (line := await process.stderr.readline()):
                assert line, "the example ended"
        yield f"http://127.0.0.1:{port}/"
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def until(server: Server, number: int) -> None:
    """Waits until Slack took so many messages; meanwhile the server's clock goes on."""
    async with asyncio.timeout(DEADLINE):
        while len(Slack.said) < number:
            await asyncio.sleep(0.01)
            server.clock.now += 100
            server.state.sender.notify()


def hostile() -> dict[str, msgspec.Struct]:
    """The data of each event, with texts of somebody who wants to disturb a channel."""
    site, at = "site-a", "2026-11-30T10:00:00.000Z"
    link = payloads.OriginLink(token="t", visit="v", external_id=HOSTILE, label=HOSTILE, campaign=None)
    via = payloads.ViaShare(token="t", visit="v", channel="whatsapp", n=0)
    of_visit: dict[str, Any] = {"site": site, "visit": None, "page": PAGE, "depth": 1, "at": at, "link": link}
    return {
        "share.proven": payloads.ShareProven(**of_visit | {"visit": "", "token": "t", "channel": "whatsapp", "n": 0}),
        "conversion.created": payloads.ConversionCreated(
            **of_visit | {"visit": ""}, goal=HOSTILE, id=HOSTILE, value="49.00", currency="EUR", by="page", via=via,
            source="share", replaces=False, conversion="c", refund_of=None,
        ),
        "answer.created": payloads.AnswerCreated(
            **of_visit, answer="a", text=LONG, class_="friend", channel=None, by="page", contact=HOSTILE, source=None,
            via=via,
        ),
        "cascade.milestone": payloads.CascadeMilestone(
            site=site, root="", page=PAGE, milestone=30, size=31, max_depth=4, started_at=at, at=at, link=link
        ),
        "mention.created": payloads.MentionCreated(
            site=site, page=PAGE + "x" * 4_000, kind="webmention", source=f"https://evil.example/{HOSTILE}",
            title=HOSTILE, author=" \u200b", published_at=None, at=at,
        ),
        "spike.detected": payloads.SpikeDetected(
            site=site, page=PAGE, at=at, minutes=60, returns=52, expected=2.1, times=24.6, probability=3e-8
        ),
        "site.silent": payloads.SiteSilent(site=site, since=at, hours=6, expected=24.3, visits_a_day=97.1, at=at),
    }  # fmt: skip


async def publish(server: Server, name: str, data: msgspec.Struct) -> None:
    await server.store.webhooks.publish(
        event(1, name, server.clock.now, data), lambda: new_id("msg", secrets.token_bytes)
    )
    server.state.sender.notify()


def texts(message: Any) -> list[tuple[str, str]]:
    """The texts of a message with their types."""
    return [("mrkdwn", message["text"]), *((each["text"]["type"], each["text"]["text"]) for each in message["blocks"])]


async def test_every_event_is_one_message_of_which_strangers_texts_are_no_markup(database: str) -> None:
    settings = Settings(database=database, secret_keys=(b"k" * 32,), rate_limit=0, webhook_networks=("127.0.0.0/8",))
    with slack() as slack_url:
        async with serving(settings) as server, reserved() as port:
            server.clock.now = time.time_ns() // 1_000_000  # the receiver refuses what is signed at another time
            await server.add_site("site-a", ORIGIN)
            owner = await with_key(server, "owner", scope="admin")
            url = f"http://127.0.0.1:{port}/"
            secret = (await owner.http.post("/v1/webhooks", json={"url": url})).json()["secret"]
            async with example(secret, slack_url, port):
                Slack.says = [503]
                assert (await server.post("answers", text=HOSTILE, nonce="n" * 16)).status_code == 200
                await until(server, 1)
                for name, data in hostile().items():
                    await publish(server, name, data)
                await until(server, 8)
            await server.hang_up()
    assert Slack.refused == [""]  # the first one, which was sent again
    assert len(Slack.said) == 8 == len({json.dumps(each) for each in Slack.said})
    titles = {each["blocks"][0]["text"]["text"] for each in Slack.said}
    assert len(titles) == len(EVENTS)
    for message in Slack.said:
        assert (message["unfurl_links"], message["unfurl_media"]) == (False, False)
        for kind, text in texts(message):
            if kind == "mrkdwn" and text not in titles:
                assert re.fullmatch(r"<https://www\.example\.com/[^<>|\s]*\|Open the page>", text), text
            else:
                assert not re.search(r"[<>\n\u202e]|&(?!amp;|lt;|gt;)", text), text
    shown = [html.unescape(text) for message in Slack.said for _, text in texts(message)]
    one_line = HOSTILE.replace("\n", " ").replace("\u202e", " ")
    assert f"Answer: {one_line}" in shown
    assert f"Title: {one_line}" in shown
    assert "Author: –" in shown
    assert [len(text) < 1_600 for text in shown if text.startswith("Answer: <&>")] == [True]
    assert f"Page: {PAGE}" in shown


async def test_what_slack_does_not_take_is_sent_again_and_nothing_is_posted_twice() -> None:
    """Also: what is not signed, is old or too long is refused."""
    secret = "whsec_" + "QUJD" * 8
    body = event(1, "site.silent", 0, hostile()["site.silent"]).payload.encode()
    now = time.time_ns() // 1_000_000
    with slack() as slack_url:
        async with (
            reserved() as port,
            example(secret, slack_url, port) as url,
            httpx.AsyncClient(trust_env=False) as http,
        ):

            async def send(number: str, at: int = now, sent: bytes = body, by: str = secret) -> httpx.Response:
                return await http.post(url, content=sent, headers=headers(number, at, body, by), timeout=DEADLINE)

            for wrong in (
                await send("msg_1", by="whsec_" + "QUJE" * 8),
                await send("msg_1", now - 400_000),
                await send("msg_1", sent=body + b" "),
                await http.post(url, content=body),
            ):
                assert wrong.status_code == 401
            assert (await send("msg_1", sent=b" " * 300_000)).status_code == 413
            Slack.says = [500, 404, 302, 429]
            for _ in range(3):
                assert (await send("msg_1")).status_code == 503
            limited = await send("msg_1")
            assert (limited.status_code, limited.headers["retry-after"]) == (503, "30")
            assert Slack.said == []
            answers = await asyncio.gather(*(send("msg_1") for _ in range(4)))
            assert [answer.status_code for answer in answers] == [204] * 4
            assert len(Slack.said) == 1
            unknown = event(1, "later.event", 0, {"site": "site-a", "page": "javascript:alert(1)"}).payload.encode()
            signed = headers("msg_2", now, unknown, secret)
            assert (await http.post(url, content=unknown, headers=signed)).status_code == 204
            assert [kind for kind, _ in texts(Slack.said[1])] == ["mrkdwn", "plain_text", "plain_text"]
    gone = "http://127.0.0.1:1/"
    async with reserved() as port, example(secret, gone, port) as url, httpx.AsyncClient(trust_env=False) as http:
        assert (await http.post(url, content=body, headers=headers("msg_1", now, body, secret))).status_code == 503
