"""Mails that are written to take long: the holder of a key that tags them holds up nobody."""

from __future__ import annotations

import http.client
import json
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import Executor

import pytest

from tests.support.attacked_server import AttackedInstallation

MIB = 1 << 20
PATIENCE_SECONDS = 120
SLOWEST = ("<a href=//a>", "{{")
OTHERS = (
    "<!--", "<a ", '<a href="', "<a href=//a.example/", "</", "<script>", "<!--[if mso]>", "%%", "*||*", "<% %>", "&#1",
    "<a x='", "<a a=a b c d>", "<p data-grapevine-ignore>", "<a =======>", "<a\n", "<div>", "<base href=//", "é",
    "\x01", "[[", "<a href=&#", "<v:a href='{{x}}'>", "<!--[if mso]><a href=//a>",
)  # fmt: skip


def tag(port: int, key: str, pieces: Sequence[str]) -> dict[int, int]:
    """Sends a mail of 1 MiB of each of the pieces, one after the other; the number of each status."""
    found = Counter[int]()
    for piece in pieces:
        size = len(piece.encode())
        body = json.dumps({"html": piece * (MIB // size)}, ensure_ascii=False).encode()
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_SECONDS)
        headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
        connection.request("POST", "/v1/links/rewrite", body, headers)
        answer = connection.getresponse()
        answer.read()
        found[answer.status] += 1
        connection.close()
    return dict(found)


@pytest.mark.parametrize(
    "pieces", [SLOWEST, pytest.param(SLOWEST + OTHERS, marks=pytest.mark.slow)], ids=["few", "all"]
)
def test_hostile_mails(attacked: AttackedInstallation, attackers: Executor, pieces: Sequence[str]) -> None:
    site = attacked.sites[1]
    with attacked.attacked() as server:
        with server.harmless():
            found = [attackers.submit(tag, server.port, site.key, pieces) for _ in range(2)]
            statuses = sum((Counter(each.result()) for each in found), Counter[int]())
        assert sum(statuses.values()) == 2 * len(pieces)
        assert statuses.keys() <= {200, 413, 503}
        assert statuses[200]
        assert server.end() == (0, "", "")
