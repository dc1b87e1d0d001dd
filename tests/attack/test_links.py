"""Strangers and minted links: guessed words, invented places, repeated clicks, forged tokens."""

from __future__ import annotations

import sqlite3
from collections import Counter
from concurrent.futures import Executor
from contextlib import closing
from urllib.parse import quote

from grapevine.collect.rate_limit import WORDS
from grapevine.domain.channels import CODES
from grapevine.domain.tokens import Tokens, parse
from tests.attack.conftest import ATTACKERS
from tests.attack.test_rates import NETWORKS, Request, flood
from tests.support.attacked_server import BYSTANDER, AttackedInstallation
from tests.support.raw_connection import ORIGIN

CLICKS = 90
HUGE = (
    "%", "%25" * 900, "a" * 3_000, quote("ﷺ" * 300), quote("\u0301" * 400), quote("\u202e" * 400), "-" * 3_000,
    "%00" * 900, quote("ＡＤＭＩＮ"), quote("ѕuмmеr"), "../" * 900, "%2e%2e%2f" * 300, "summer" * 500, "rnvvcl0" * 400,
)  # fmt: skip
"""Words of the largest size that a URL has room for, and of letters that are not what they seem."""


def guess_words(port: int, attacker: int, number: int) -> Counter[int]:
    """Guesses words from several addresses in turn, some of them as long as can be."""
    statuses: Counter[int] = Counter()
    for network in range(NETWORKS):
        guesses = [f"/go/guess-{attacker}-{network}-{place}" for place in range(number // NETWORKS)]
        guesses[::3] = [f"/go/{HUGE[place % len(HUGE)]}" for place in range(len(guesses[::3]))]
        guesses[1::5] = [f"{guess}/qr.png?size=1200" for guess in guesses[1::5]]
        requests: list[Request] = [("GET", guess, None, {}) for guess in guesses]
        statuses += flood(port, f"127.0.{attacker + 1}.{network + 1}", requests)
    return statuses


def click_on(port: int, attacker: int, number: int, token: str) -> Counter[int]:
    """Follows a link again and again, to places of the attacker's own invention, and with forged tokens of its node."""
    node = parse(token).token.visit_id
    forged = Tokens([b"a key of the attacker's own"], b"salt").mint(node, range(20), 3)
    statuses: Counter[int] = Counter()
    for network in range(NETWORKS):
        requests: list[Request] = []
        for place in range(number // NETWORKS):
            names = (
                "x" * 3_000,
                f"place-{place}",
                "door&at=door",
                "%00",
                "door'%20OR%201=1",
                quote("дoor"),
                "0",
                "1",
                "-1",
            )
            requests.append(("GET", f"/s/{token}?at={names[place % len(names)]}", None, {}))
            requests.append(("GET", f"/s/{forged[place % 20]}?at=door", None, {}))
        statuses += flood(port, f"127.0.{attacker + 5}.{network + 1}", requests)
    return statuses


def test_guessed_words_invented_places_and_repeated_clicks(attacked: AttackedInstallation, attackers: Executor) -> None:
    with attacked.attacked() as server:
        owner = {"Authorization": f"Bearer {server.sites[0].key}"}
        wanted = {"url": f"{ORIGIN}/spring", "word": "summer", "places": ["door"]}
        link = server.ask("POST", "/v1/links", wanted, owner).json()
        with server.harmless():
            guessing = [attackers.submit(guess_words, server.port, each, 240) for each in range(ATTACKERS)]
            clicking = [
                attackers.submit(click_on, server.port, each, CLICKS, link["token"]) for each in range(ATTACKERS)
            ]
            guessed = sum((each.result() for each in guessing), Counter[int]())
            followed = sum((each.result() for each in clicking), Counter[int]())
            assert server.ask("GET", "/go/Summer.?at=door", source=BYSTANDER).headers["location"].startswith(ORIGIN)
        # Words are refused by their network; those that lead somewhere are not found among those that do not.
        networks = ATTACKERS * NETWORKS
        assert guessed.keys() == {404, 429}
        assert networks * WORDS <= guessed[404] < 2 * networks * WORDS
        assert followed == {302: ATTACKERS * CLICKS, 404: ATTACKERS * CLICKS}
        assert server.end().status == 0  # every click is stored then
    with closing(sqlite3.connect(attacked.database)) as connection:
        clicks = dict(connection.execute("SELECT n, clicks FROM link_clicks WHERE channel = ?", (CODES["link"],)))
        assert clicks == {0: ATTACKERS * CLICKS, 1: 1}
        assert connection.execute("SELECT count(*) FROM link_words").fetchone() == (1,)
