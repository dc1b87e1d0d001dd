"""The documented chat bot, over HTTP on both sides, and the link of a support reply as docs/links.md makes it."""

from __future__ import annotations

import hashlib
import hmac
import importlib.util
import json
import re
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import ThreadingHTTPServer
from pathlib import Path
from types import ModuleType
from typing import Any, Final
from urllib.parse import urlencode

import httpx
import pytest

from grapevine.client import Client
from tests.support.grapevine_process import ORIGIN, CommandRunner, browser

pytestmark = pytest.mark.process

ROOT: Final = Path(__file__).resolve().parents[2]
SECRET: Final = "8f742231b10e8888abcd99yyyzzz85a5"
SLACKS_BODY: Final = (
    b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&"
    b"channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url="
    b"https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&"
    b"trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"
)
"""The example of Slack's documentation, signed at ``SLACKS_TIME`` with ``SECRET``."""
SLACKS_TIME: Final = 1_531_420_618
SLACKS_SIGNATURE: Final = "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503"


def chat_bot() -> ModuleType:
    spec = importlib.util.spec_from_file_location("chat_bot", ROOT / "docs/examples/chat_bot.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@contextmanager
def running(bot: ModuleType, client: Client) -> Iterator[str]:
    """Yields the URL of the bot while it runs."""
    bot.Bot.client, bot.Bot.secret, bot.Bot.site_url = client, SECRET, ORIGIN
    bot.Bot.log_message = lambda *_: None
    with ThreadingHTTPServer(("127.0.0.1", 0), bot.Bot) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def said(url: str, text: str, user: str = "U1", *, age: int = 0, secret: str = SECRET) -> httpx.Response:
    """What the bot answers to a slash command that Slack sends."""
    form = {"team_id": "T1", "user_id": user, "command": "/link", "text": text}
    body, at = urlencode(form).encode(), str(int(time.time()) - age)
    digest = hmac.new(secret.encode(), f"v0:{at}:".encode() + body, hashlib.sha256).hexdigest()
    headers = {
        "X-Slack-Request-Timestamp": at,
        "X-Slack-Signature": f"v0={digest}",
        "Content-Type": "application/x-www-form-urlencoded",
    }
    return httpx.post(url, content=body, headers=headers, trust_env=False, timeout=60)


def answered(response: httpx.Response) -> str:
    assert response.status_code == 200
    assert response.json()["response_type"] == "ephemeral"
    return str(response.json()["text"])


def documented(language: str) -> list[str]:
    """The blocks of that language in the section of docs/links.md."""
    text = (ROOT / "docs/links.md").read_text("utf-8")
    section = text.partition("## Chat and support")[2].partition("\n## ")[0]
    return re.findall(rf"^ *```{language}\n(.*?)^ *```", section, re.MULTILINE | re.DOTALL)


def ran(machine: CommandRunner, lines: str, key: str) -> str:
    """What lines of a shell write."""
    command = ["bash", "-c", lines.replace("https://www.example.com", ORIGIN)]
    environ = machine.environ | {"GRAPEVINE_KEY": key, "no_proxy": "*"}
    return subprocess.run(command, env=environ, capture_output=True, text=True, timeout=60, check=True).stdout  # noqa: S603


def test_what_slack_signed_is_taken() -> None:
    is_from_slack = chat_bot().is_from_slack
    good: tuple[Any, ...] = (SECRET, str(SLACKS_TIME), SLACKS_BODY, SLACKS_SIGNATURE)
    assert is_from_slack(*good, SLACKS_TIME + 60)
    assert not is_from_slack(*good, SLACKS_TIME + 301)
    for index, other in enumerate(("another", str(SLACKS_TIME + 1), SLACKS_BODY + b"x", SLACKS_SIGNATURE[:-1] + "é")):
        assert not is_from_slack(*good[:index], other, *good[index + 1 :], SLACKS_TIME + 60)


def test_the_bot_and_the_support_reply(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    machine = CommandRunner(tmp_path)
    added = json.loads(machine.run("site", "add", "Lees", "--origin", ORIGIN, "--json").stdout)
    with machine.serving() as (_, server), Client(server, added["key"]) as client:
        with running(chat_bot(), client) as bot:
            first = answered(said(bot, "/pricing?a=1"))
            link = first.replace("&amp;", "&")
            assert link.startswith(f"{ORIGIN}/pricing?a=1#gv-")
            assert answered(said(bot, f"{ORIGIN}/pricing?a=1")) == first
            assert answered(said(bot, "/pricing?a=1", "U2")) != first
            refused = answered(said(bot, "https://elsewhere.example/<b>"))
            assert refused.startswith("No link: ")
            assert "<" not in refused
            for wrong in (said(bot, "/", age=400), said(bot, "/", secret="guessed"), httpx.post(bot, trust_env=False)):
                assert wrong.status_code == 401
        (found,) = client.links.list(external_id="slack:T1:U1")
        with browser(server) as http:
            visit = {"site": added["site"], "url": link, "nonce": "0" * 20, "token": found.token}
            assert http.post("/v1/visits", json=visit).json()["returned"]["valid"]
        resolved = client.tokens.get(found.token)
        assert resolved.link is not None
        assert (resolved.link.external_id, resolved.share.channel, resolved.share.returns) == (
            "slack:T1:U1",
            "slack",
            1,
        )

        made, shown = (
            json.loads(ran(machine, block.replace("https://share.example.com", server), added["key"]))
            for block in documented("sh")
            if "curl" in block
        )
        assert [(one["token"], one["label"]) for one in shown["links"]] == [(made["token"], "Reply to ticket 4711")]
        (program,) = documented("python")
        program = program.replace("Client()", f"Client({server!r}, {added['key']!r})")
        exec(compile(program.replace("https://www.example.com", ORIGIN), "example", "exec"), {})  # noqa: S102
        printed = capsys.readouterr().out.splitlines()
        assert printed[0].startswith(f"{ORIGIN}/help/returns#gv-")
        assert printed[1:] == [f"{ORIGIN}/help/returns 0 0"] * 2
