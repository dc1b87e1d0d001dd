"""Refused collect calls over HTTP: the sentence that the widget writes to the console, and the log's lines."""

from __future__ import annotations

import logging

import pytest

from tests.support.in_process_server import ORIGIN, Server

pytestmark = [pytest.mark.anyio, pytest.mark.parametrize("server", ["asgi", "socket"], indirect=True)]


async def test_each_refusal_is_a_sentence_and_the_log_has_one_line_a_minute_for_each_site(
    server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING, "grapevine.collect.refusals")
    await server.add_site("site-b", "https://b.example")
    foreign = server.browser(Origin="https://evil.example")
    nowhere = server.browser(Origin="null")
    said = [
        (await server.post("visits", site="nobody")).json(),
        (await server.post("visits", foreign)).json(),
        (await server.post("visits", nowhere)).json(),
        (await server.post("visits", site="site-b")).json(),
        (await server.post("conversions", session="x" * 23, goal="", nonce="n" * 16)).json(),
        (await server.http.post("/v1/visits", content=b"x" * 9_000)).json(),
    ]
    assert [answer["code"] for answer in said] == [
        "unknown-site", "bad-origin", "bad-origin", "bad-origin", "invalid", "too-large",
    ]  # fmt: skip
    starts = (
        "Nothing is counted: this server has no site with the key 'nobody'. Write the right key into data-site;",
        "Nothing is counted: 'https://evil.example' is not one of the addresses of this site. If it should be,",
        "Nothing is counted: the browser does not say which address this page has,",
        f"Nothing is counted: '{ORIGIN}' is not one of the addresses of this site.",
        "This report is not counted: `",
        "This report is not counted: It has more than 8,192 bytes. Shorten",
    )
    for answer, start in zip(said, starts, strict=True):
        assert answer["detail"].startswith(start)
    assert "b.example" not in said[3]["detail"], "a stranger learns no address of the site"
    lines = [record.getMessage() for record in caplog.records]
    assert [line.partition(" was refused")[0] for line in lines] == [
        "a report for no known site",
        "a report for site site-a",
        "a report for site site-b",
        "a report for no known site",
    ]
    server.clock.now += 60_000
    await server.post("visits", foreign)
    assert caplog.records[-1].getMessage().endswith("Before, since the last such line: 1 bad-origin, 1 invalid.")
