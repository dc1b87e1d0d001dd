"""Webmentions by the thousand, one victim named as their source, hostile sources and hostile feeds."""

from __future__ import annotations

import http.client
import json
import sqlite3
import time
from collections import Counter
from concurrent.futures import Executor
from contextlib import ExitStack, closing
from typing import Any, Final
from urllib.parse import urlencode

import pytest

from tests.attack.conftest import ATTACKERS
from tests.attack.test_page_checks import HOSTILE, LARGE, OK, PATIENCE_SECONDS, Trap
from tests.support.attacked_server import AttackedInstallation, AttackedServer

HERE: Final = {"GRAPEVINE_MENTION_NETWORKS": "127.0.0.0/8"}
A_MINUTE: Final = 10
"""Webmentions that are taken of one network in a minute."""
MOST_OF_HOST: Final = 100
"""Webmentions that may wait for the source's host."""
FEED: Final = b"HTTP/1.1 200 OK\r\nContent-Type: application/rss+xml\r\n\r\n"
HEAD: Final = b"<rss version='2.0'><channel><title>F</title>"


def many_webmentions(port: int, target: str, victims: list[str], attacker: int, number: int) -> Counter[int]:
    """Sends so many webmentions from networks that change as often as they must; counts the statuses."""
    statuses: Counter[int] = Counter()
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    for start in range(0, number, A_MINUTE):
        source = f"127.{20 + attacker}.{start // A_MINUTE // 200}.{start // A_MINUTE % 200 + 1}"
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120, source_address=(source, 0))
        for each in range(start, start + A_MINUTE):
            page = f"{victims[each % len(victims)]}/{attacker}/{each}"
            connection.request("POST", "/webmention", urlencode({"source": page, "target": target}).encode(), form)
            answer = connection.getresponse()
            answer.read()
            statuses[answer.status] += 1
        connection.close()
    return statuses


def take_webmentions(attacked: AttackedInstallation) -> None:
    """Has the first site take webmentions."""
    assert attacked.run("site", "set", attacked.sites[0].site, "webmention=on").status == 0


@pytest.mark.parametrize("number", [480, pytest.param(40_000, marks=pytest.mark.slow)])
def test_many_webmentions_about_one_victim(attacked: AttackedInstallation, attackers: Executor, number: int) -> None:
    take_webmentions(attacked)
    victim = Trap([OK, b"\r\nnothing"])
    port = victim.origin.rpartition(":")[2]
    names = [f"http://127.0.0.1:{port}", f"http://localhost:{port}", f"http://127.1:{port}"]
    with closing(victim), attacked.attacked(**HERE) as server:
        server.visit()
        started = time.monotonic()
        with server.harmless():
            sending = [
                attackers.submit(
                    many_webmentions, server.port, f"{server.sites[0].origin}/", names, each, number // ATTACKERS
                )
                for each in range(ATTACKERS)
            ]
            statuses = sum((each.result() for each in sending), Counter[int]())
        minutes = 1 + int(time.monotonic() - started) // 60
        assert 0 < victim.connections <= len(names) * minutes
        assert set(statuses) <= {202, 503}
        assert statuses.total() == number
        assert statuses[202] <= len(names) * (MOST_OF_HOST + minutes)


def hostile_feeds() -> dict[str, bytes]:
    """Feeds of a mebibyte and more."""
    size = LARGE // 2

    def items(text: bytes) -> bytes:
        entry = (
            b"<item><title>t</title><link>https://x.example/%d</link><description>" + text + b"</description></item>"
        )
        number = max(1, size // len(entry))
        return HEAD + b"".join(entry.replace(b"%d", b"%d" % each) for each in range(number)) + b"</channel></rss>"

    return {
        "attributes": HEAD + b"<item " + b" ".join(b"a%d='1'" % each for each in range(60_000)) + b"/></channel></rss>",
        "nested": HEAD + b"<a>" * (size // 3),
        "entries": items(b"https://a.example/"),
        "addresses": items(b"https://a.example/?x=1 " * 2_000),
        "escaped": items(b"&lt;a href=&quot;https://a.example/&quot;&gt;" * 2_000),
        "one entry": items(b"&amp;" * (size // 5)),
        "entities": b"<!DOCTYPE a [<!ENTITY a 'aaaaaaaaaa'>" + b"<!ENTITY b '&a;&a;'>" * 1_000 + b"]>" + HEAD,
        "defaults": b"<!DOCTYPE a [<!ATTLIST b "
        + b" ".join(b"c%d CDATA 'd'" % each for each in range(10_000))
        + b">]>"
        + b"<b/>" * 100_000,
        "comments": HEAD + b"<!---->" * (size // 7),
        "zeros": bytes(size),
    }


def test_hostile_sources_and_feeds(attacked: AttackedInstallation) -> None:
    """Each on a host of its own, so that none waits for another."""
    take_webmentions(attacked)
    pages = ("endless", "bomb", "attributes", "comments", "entities", "tags", "nested", "unicode")
    with ExitStack() as stack:
        sources = [Trap(HOSTILE[name], f"127.7.0.{number}") for number, name in enumerate(pages, 1)]
        feeds = [Trap([FEED, body], f"127.8.0.{number}") for number, body in enumerate(hostile_feeds().values(), 1)]
        for opened in (*sources, *feeds):
            stack.enter_context(closing(opened))
        server = stack.enter_context(attacked.attacked(module="tests.attack.serve_reading_feeds", **HERE))
        server.visit()
        with server.harmless():
            for trap in feeds:
                assert ask(server, "POST", {"url": f"{trap.origin}/"})["failures"] == 0
            form = {"Content-Type": "application/x-www-form-urlencoded"}
            for trap in sources:
                body = urlencode({"source": f"{trap.origin}/", "target": f"{server.sites[0].origin}/"}).encode()
                assert server.ask("POST", "/webmention", body, form).status == 202
            until = time.monotonic() + PATIENCE_SECONDS
            while unread(attacked):
                assert time.monotonic() < until
                time.sleep(0.1)
        assert all(trap.connections == 1 for trap in (*sources, *feeds))
        found = dict(zip(hostile_feeds(), ask(server, "GET")["feeds"], strict=True))
        assert {name for name, feed in found.items() if feed["failures"]} >= {"entities", "defaults", "zeros"}


def unread(attacked: AttackedInstallation) -> int:
    """How many sources and feeds were not read to their end yet."""
    with closing(sqlite3.connect(attacked.database)) as database:
        ((sources,),) = database.execute("SELECT count(*) FROM webmentions WHERE checks = 0 AND attempts = 0")
        ((feeds,),) = database.execute("SELECT count(*) FROM feeds WHERE checked_at IS NULL")
    return int(sources) + int(feeds)


def ask(server: AttackedServer, method: str, body: object = None) -> Any:
    """Asks for the feeds of the first site as its owner, or adds one."""
    headers = {"Authorization": f"Bearer {server.sites[0].key}", "Content-Type": "application/json"}
    answer = server.ask(method, "/v1/feeds", body, headers, "127.0.0.8")
    assert answer.status in (200, 201), answer
    return json.loads(answer.body)
