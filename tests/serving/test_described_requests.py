"""schemathesis asks a running server everything that its description allows, and much that it does not.

It makes requests of every operation from ``/openapi.json``, follows the links between them, and checks each answer:
status, media type, headers and body as described, what is not allowed is refused, no key opens nothing, no error 500.
"""

from __future__ import annotations

import asyncio
import os
import re
import sys
from pathlib import Path
from typing import Final

import pytest

from grapevine.config.settings import Settings
from grapevine.sites.api_keys import hash_secret
from grapevine.store.rows import KeyRow
from grapevine.web.openapi.served import described
from tests.support.in_process_server import NOON, serving

pytestmark = [pytest.mark.anyio, pytest.mark.process]

SITE, ORIGIN = "k7Rz0XaVn2fQ", "https://www.example.com"
"""The site of the description's examples."""

CONFIG = """
[checks.positive_data_acceptance]
# No schema says which texts are tokens (400), which of them this server signed, which cursor it handed out, that `from`
# is not after `to` (422), or what the site is called that is to be deleted (409).
expected-statuses = ["2xx", "3xx", "400", "401", "403", "404", "409", "422", "429"]
[reports]
directory = "reports"
"""


SHORT: Final = ("--max-examples", "4", "--phases", "examples,fuzzing,stateful")
LONG: Final = ("--max-examples", "25", "--phases", "examples,coverage,fuzzing,stateful")


@pytest.mark.parametrize(
    ("database", "effort"),
    [
        pytest.param("sqlite", SHORT, id="short"),
        pytest.param("sqlite", LONG, id="long-sqlite", marks=pytest.mark.slow),
        pytest.param("postgres", LONG, id="long-postgres", marks=pytest.mark.slow),
    ],
    indirect=["database"],
)
async def test_no_answer_is_other_than_described(
    anyio_backend: str, database: str, tmp_path: Path, effort: tuple[str, ...]
) -> None:
    assert anyio_backend == "asyncio"
    settings = Settings(
        database=database, secret_keys=(b"k" * 32,), rate_limit=0, connections=0, trusted_proxies=("127.0.0.1",)
    )
    (tmp_path / "schemathesis.toml").write_text(CONFIG, "utf-8")
    async with serving(settings) as server:
        await server.add_site(SITE, ORIGIN)
        key = KeyRow(key_id="owner", site_id=1, name="owner", scope="admin", created_at=NOON, revoked_at=None)
        await server.store.api_keys.add_key(key, hash_secret("gv_owner"))
        command = (
            sys.executable, "-m", "schemathesis.cli", "run", f"{server.url}/openapi.json", "--checks", "all",
            "-H", "Authorization: Bearer gv_owner", "--generation-deterministic", "--no-color", "--max-failures", "20",
            "--warnings", "off", "--exclude-path", "/v1/live", *effort,
        )  # fmt: skip
        process = await asyncio.create_subprocess_exec(
            *command, cwd=tmp_path, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
            env={**os.environ, "NO_PROXY": "127.0.0.1"},
        )  # fmt: skip
        said, _ = await process.communicate()
        await server.hang_up()
    report = said.decode()
    assert process.returncode == 0, report
    asked = re.search(r"Tested: (\d+)", report)
    assert asked is not None, report
    # The live feed has no end; `/openapi.json` is read as the description, and not asked again.
    assert int(asked[1]) == len(described()) - 2, report
