"""Runs commands of ``grapevine`` as child processes on one database, and clients that call a server."""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import pty
import re
import sqlite3
import struct
import subprocess
import sys
import termios
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import asyncpg
import httpx

from grapevine.domain import ids
from tests.support.user_agents import CHROME

ORIGIN = "https://a.example"
PATIENCE_SECONDS = 120
KEYS = "a-key-that-all-processes-share"


class CommandRunner:
    """Runs ``grapevine`` as processes on one database."""

    def __init__(self, folder: Path) -> None:
        self.database = folder / "grapevine.sqlite3"
        kept = {name: value for name, value in os.environ.items() if not name.startswith("GRAPEVINE_")}
        self.environ = kept | {"GRAPEVINE_DATABASE": f"sqlite:///{self.database}", "GRAPEVINE_RATE_LIMIT": "0"}

    def run(self, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "grapevine", *arguments]
        return subprocess.run(  # noqa: S603
            command, env=self.environ | environ, capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False
        )

    def on_terminal(self, *arguments: str, columns: int = 80, **environ: str) -> str:
        """Returns what a command writes on a terminal of this width, both its outputs, with plain ends of lines."""
        outside, inside = pty.openpty()
        fcntl.ioctl(inside, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
        with subprocess.Popen(  # noqa: S603
            [sys.executable, "-m", "grapevine", *arguments],
            env={name: value for name, value in (self.environ | environ).items() if name != "COLUMNS"},
            stdin=inside,
            stdout=inside,
            stderr=inside,
        ):
            os.close(inside)
            written = b""
            with suppress(OSError):  # which is how a terminal ends
                while piece := os.read(outside, 65_536):
                    written += piece
        os.close(outside)
        return written.decode(errors="surrogateescape").replace("\r\n", "\n")

    def add_site(self) -> str:
        return str(json.loads(self.run("site", "add", "Lees", "--origin", ORIGIN).stdout)["site"])

    @contextmanager
    def serving(self, *arguments: str, **environ: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
        """Yields the server's process and its URL once it is ready."""
        process = subprocess.Popen(  # noqa: S603
            [sys.executable, "-m", "grapevine", "serve", "--port", "0", *arguments],
            env=self.environ | environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        with process:
            try:
                assert process.stdout is not None
                line = process.stdout.readline()
                ready = re.fullmatch(r"Grapevine is ready: (http://127\.0\.0\.1:\d+)\n", line)
                assert ready, (line, process.communicate(timeout=PATIENCE_SECONDS))
                yield process, ready[1]
            finally:
                if process.poll() is None:
                    process.kill()

    def stored(self) -> set[str]:
        """Returns the ids of all visits, after an integrity check."""
        with closing(sqlite3.connect(self.database)) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
            return {ids.visit_text(row[0]) for row in connection.execute("SELECT visit_id FROM visits")}


class PostgresCommandRunner(CommandRunner):
    """Runs ``grapevine`` as processes on a PostgreSQL database."""

    def __init__(self, folder: Path, url: str) -> None:
        super().__init__(folder)
        self.url = url
        self.environ |= {"GRAPEVINE_DATABASE": url, "GRAPEVINE_SECRET_KEYS": KEYS}

    def look(self, text: str) -> list[tuple[Any, ...]]:
        """Returns the rows of a SELECT."""
        return rows(self.url, text)

    def stored(self) -> set[str]:
        return {ids.visit_text(row[0]) for row in self.look("SELECT visit_id FROM visits")}


def rows(url: str, text: str) -> list[tuple[Any, ...]]:
    """Returns the rows of a statement."""

    async def ask() -> list[tuple[Any, ...]]:
        connection = await asyncpg.connect(url)
        try:
            return [tuple(record) for record in await connection.fetch(text)]
        finally:
            await connection.close()

    return asyncio.run(ask())


def visit(client: httpx.Client, site: str, number: int) -> httpx.Response:
    body: dict[str, Any] = {"site": site, "url": f"{ORIGIN}/", "nonce": f"{number:020}", "channels": ["copy"]}
    return client.post("/v1/visits", json=body)


def browser(url: str) -> httpx.Client:
    headers = {"Origin": ORIGIN, "User-Agent": CHROME}
    return httpx.Client(base_url=url, headers=headers, trust_env=False, timeout=PATIENCE_SECONDS)
