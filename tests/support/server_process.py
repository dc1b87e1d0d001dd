"""``grapevine serve`` as a child process, for fault tests: signals, resource limits, exit status."""

from __future__ import annotations

import json
import os
import re
import resource
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple

import asyncpg

from tests.support.raw_connection import ORIGIN

PATIENCE_SECONDS: Final = 120
"""A test that waits longer fails."""

SERVE: Final = ("-m", "grapevine", "serve", "--port", "0")
_PROJECT: Final = Path(__file__).resolve().parents[2]


class ExitResult(NamedTuple):
    """How a process ended."""

    status: int
    out: str
    err: str


class ServerProcess:
    """A running server. Its log file lies outside ``database``'s folder, so that a full disk does not lose it."""

    def __init__(self, process: subprocess.Popen[str], port: int, log: Path) -> None:
        self._process = process
        self._log = log
        self.port = port

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    @property
    def runs(self) -> bool:
        """Whether the process is still running."""
        return self._process.poll() is None

    def kill(self) -> None:
        """Sends SIGKILL and waits for the end."""
        self._process.kill()
        self._process.communicate(timeout=PATIENCE_SECONDS)

    def terminate(self) -> None:
        """Sends SIGTERM without waiting."""
        self._process.send_signal(signal.SIGTERM)

    def end(self) -> ExitResult:
        """Sends SIGTERM, waits, and returns the result."""
        self.terminate()
        return self.ended()

    def ended(self) -> ExitResult:
        """Waits for the end and returns the result."""
        out, _ = self._process.communicate(timeout=PATIENCE_SECONDS)
        return ExitResult(self._process.returncode, out, self._log.read_text())

    def workers(self, module: str = "grapevine.") -> list[int]:
        """Returns the ids of its child processes that run ``module``."""
        children = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()
        return [int(child) for child in children if module in Path(f"/proc/{child}/cmdline").read_text()]

    def limit(self, which: int, soft: int) -> None:
        """Sets a resource limit (``resource.RLIMIT_…``) of the running process."""
        _, hard = resource.prlimit(self.pid, which)
        resource.prlimit(self.pid, which, (soft, hard))

    def descriptors(self) -> int:
        """Returns the number of its open files and sockets."""
        return len(os.listdir(f"/proc/{self.pid}/fd"))  # noqa: PTH208

    def resident(self) -> int:
        """Returns its resident memory in bytes."""
        found = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{self.pid}/status").read_text())
        assert found
        return int(found[1]) * 1024


class Installation:
    """A database file with one site, and the servers on it."""

    def __init__(self, folder: Path, logs: Path, site: str, key: str) -> None:
        self.folder = folder
        self.logs = logs
        self.site = site
        self.key = key
        self.more_settings: dict[str, str] = {}

    @property
    def database(self) -> Path:
        """The SQLite file."""
        return self.folder / "grapevine.sqlite3"

    async def rows(self, query: str) -> list[tuple[Any, ...]]:
        """Returns what a query finds in the database."""
        with closing(sqlite3.connect(self.database)) as file:
            return file.execute(query).fetchall()

    async def change(self, *statements: str) -> None:
        """Runs statements in one transaction."""
        with closing(sqlite3.connect(self.database)) as file, file:
            for statement in statements:
                file.execute(statement)

    async def insert(self, table: str, columns: Sequence[str], rows: Iterable[tuple[Any, ...]]) -> None:
        """Adds rows to a table."""
        with closing(sqlite3.connect(self.database)) as file, file:
            file.executemany(
                f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})", rows
            )

    def run(self, *arguments: str, before: Sequence[str] = ()) -> ExitResult:
        """Runs a command of ``grapevine`` to its end."""
        return self.run_python("-m", "grapevine", *arguments, before=before)

    def run_python(self, *arguments: str, before: Sequence[str] = ()) -> ExitResult:
        """Runs Python to its end, with the settings of the servers."""
        done = subprocess.run(  # noqa: S603
            [*before, sys.executable, *arguments],
            env=self._environ,
            cwd=_PROJECT,
            capture_output=True,
            text=True,
            timeout=PATIENCE_SECONDS,
            check=False,
        )
        return ExitResult(done.returncode, done.stdout, done.stderr)

    @contextmanager
    def serving(self, command: Sequence[str] = SERVE) -> Iterator[ServerProcess]:
        """Yields a server that is ready; kills it at the end of the block if it still runs."""
        with self.starting(command) as process:
            yield ready(process, self.log)

    @contextmanager
    def starting(self, command: Sequence[str] = SERVE) -> Iterator[subprocess.Popen[str]]:
        """Yields the process of a server, possibly not ready yet."""
        with (
            self.log.open("a") as log,
            subprocess.Popen(  # noqa: S603
                [sys.executable, *command],
                env=self._environ,
                cwd=_PROJECT,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            ) as process,
        ):
            try:
                yield process
            finally:
                if process.poll() is None:
                    process.kill()

    @property
    def log(self) -> Path:
        """The file with the standard error of its servers."""
        return self.logs / "log"

    @property
    def _environ(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("GRAPEVINE_")}
        return (
            kept | {"GRAPEVINE_RATE_LIMIT": "0", "GRAPEVINE_CONNECTIONS": "0"} | self._settings() | self.more_settings
        )

    def _settings(self) -> dict[str, str]:
        return {"GRAPEVINE_DATABASE": f"sqlite:///{self.database}"}


class PostgresInstallation(Installation):
    """A PostgreSQL database with one site, and the servers on it. Later servers use another ``url`` and other ``keys``,
    where these were changed."""

    def __init__(self, url: str, logs: Path) -> None:
        super().__init__(logs, logs, "", "")
        self.url = url
        self.keys = "c" * 32
        site = _add_site(self)
        self.site, self.key = site["site"], site["key"]

    async def rows(self, query: str) -> list[tuple[Any, ...]]:
        connection = await asyncpg.connect(self.url)
        try:
            return [tuple(row) for row in await connection.fetch(query)]
        finally:
            await connection.close()

    async def change(self, *statements: str) -> None:
        connection = await asyncpg.connect(self.url)
        try:
            await connection.execute("; ".join(statements))
        finally:
            await connection.close()

    async def insert(self, table: str, columns: Sequence[str], rows: Iterable[tuple[Any, ...]]) -> None:
        connection = await asyncpg.connect(self.url)
        try:
            await connection.copy_records_to_table(table, records=list(rows), columns=columns)
        finally:
            await connection.close()

    def _settings(self) -> dict[str, str]:
        return {"GRAPEVINE_DATABASE": self.url, "GRAPEVINE_SECRET_KEYS": self.keys}


def install(folder: Path, logs: Path) -> Installation:
    """A new database with one site, and the key file that the first server makes."""
    site = _add_site(Installation(folder, logs, "", ""))
    installation = Installation(folder, logs, site["site"], site["key"])
    with installation.serving() as server:
        assert server.end() == (0, "", "")
    return installation


def _add_site(installation: Installation) -> dict[str, str]:
    added = installation.run("site", "add", "Chaos", "--origin", ORIGIN)
    assert added.status == 0, added
    site: dict[str, str] = json.loads(added.out)
    return site


def ready(process: subprocess.Popen[str], log: Path) -> ServerProcess:
    """Waits for the ready line of a process and returns its server."""
    assert process.stdout is not None
    line = process.stdout.readline()
    found = re.fullmatch(r"Grapevine is ready: http://127\.0\.0\.1:(\d+)\n", line)
    assert found, (line, process.wait(PATIENCE_SECONDS), log.read_text())
    return ServerProcess(process, int(found[1]), log)
