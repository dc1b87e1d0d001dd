"""What importing the client loads: it runs where no server does."""

from __future__ import annotations

import subprocess
import sys

import pytest

SERVERS: tuple[str, ...] = (
    "starlette", "uvicorn", "uvloop", "httptools", "jinja2", "aiosqlite", "sqlite3", "asyncpg", "pyarrow",
)  # fmt: skip


@pytest.mark.process
def test_the_client_loads_no_server_and_no_database() -> None:
    program = f"import sys, grapevine.client; print(sorted(set({SERVERS!r}) & sys.modules.keys()))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=120)  # noqa: S603
    assert done.stdout.strip() == "[]"
