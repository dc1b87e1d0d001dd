"""Two hundred readers of the live feed, and one that never reads: each is sent everything, and nothing else suffers.

What they cost collecting is measured by ``make bench ARGS=live``.
"""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import Executor
from pathlib import Path

from grapevine.live.limits import MOST_PER_KEY
from grapevine.sites.api_keys import hash_secret
from tests.attack.live_readers import PATIENCE_SECONDS, follow_all
from tests.support.attacked_server import AttackedInstallation

READERS = 200
VISITS = 50
"""On each of eight connections."""


def test_two_hundred_readers_and_one_that_never_reads(
    attacked: AttackedInstallation, attackers: Executor, tmp_path: Path
) -> None:
    secrets = [f"reader {number}" for number in range(1 + READERS // MOST_PER_KEY)]
    asyncio.run(
        attacked.insert(
            "api_keys",
            ["key_id", "site_id", "name", "scope", "hash", "created_at"],
            [(secret, 1, secret, "read", hash_secret(secret), 0) for secret in secrets],
        )
    )
    keys = [secrets[number // (MOST_PER_KEY - 1)] for number in range(READERS)]
    received = tmp_path / "received"
    with attacked.attacked(GRAPEVINE_CONNECTIONS="0", GRAPEVINE_RATE_LIMIT="0") as server:
        with server.harmless():
            following = attackers.submit(follow_all, server.port, attacked.sites[0], keys, VISITS, received)
            until = time.monotonic() + PATIENCE_SECONDS
            while not received.exists() and not following.done() and time.monotonic() < until:
                time.sleep(0.1)
        assert received.exists(), following.result(PATIENCE_SECONDS)
        assert server.end() == (0, "", "")
        assert following.result(PATIENCE_SECONDS) == {"shutting-down": READERS}
