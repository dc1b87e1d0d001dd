"""An environment that holds the wheel and nothing else of the project, and a first round through everything in it."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import httpx

from tests.support.user_agents import CHROME

ORIGIN: Final = "https://a.example"
SECONDS: Final = 120


class Environment:
    """A virtual environment of some Python."""

    def __init__(self, folder: Path, python: str) -> None:
        """Creates it, empty but for pip."""
        self.folder = folder
        self.python = folder / "bin/python"
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("GRAPEVINE_", "PYTHON"))}
        self.environ = kept | {"GRAPEVINE_RATE_LIMIT": "0"}
        self._run(python, "-m", "venv", str(folder))

    def install(self, *what: str) -> None:
        """Installs from wheels alone: nothing is compiled."""
        self._run(str(self.python), "-m", "pip", "install", "-q", "--no-compile", "--only-binary", ":all:", *what)

    def versions(self) -> dict[str, str]:
        listed = json.loads(self._run(str(self.python), "-m", "pip", "list", "--format", "json"))
        return {package["name"].lower().replace("_", "-"): package["version"] for package in listed}

    def grapevine(self, *arguments: str, command: str = "grapevine") -> str:
        """Runs the installed command, outside of the project, and returns what it printed."""
        return self._run(str(self.folder / "bin" / command), *arguments)

    def module(self, *arguments: str) -> str:
        return self._run(str(self.python), "-m", "grapevine", *arguments)

    @contextmanager
    def running(self, *arguments: str) -> Iterator[str]:
        """Runs a command that ends at SIGTERM; yields the first line that it prints."""
        process = subprocess.Popen(  # noqa: S603
            [self.folder / "bin/grapevine", *arguments],
            cwd=self.folder,
            env=self.environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        with process:
            try:
                assert process.stdout is not None
                line = process.stdout.readline()
                assert line, process.communicate(timeout=SECONDS)
                yield line
                process.send_signal(signal.SIGTERM)
                process.communicate(timeout=SECONDS)
                assert process.returncode == 0, arguments
            finally:
                if process.poll() is None:
                    process.kill()

    def _run(self, *command: str) -> str:
        folder = self.folder if self.folder.exists() else self.folder.parent
        done = subprocess.run(  # noqa: S603
            command, cwd=folder, env=self.environ, capture_output=True, text=True, timeout=10 * SECONDS, check=False
        )
        assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}{done.stderr}"
        return done.stdout


def try_commands(environment: Environment, version: str) -> None:
    """Each way to call it says the same version."""
    said = [
        environment.grapevine("--version"),
        environment.grapevine("--version", command="grapevine-share"),
        environment.module("--version"),
    ]
    assert said == [f"grapevine {version}\n"] * 3, said


def try_server(environment: Environment, database: str, parquet: bool) -> None:
    """A site, a visit, a return, the numbers in API, dashboard, terminal and files."""
    environment.environ["GRAPEVINE_DATABASE"] = database
    if database.startswith("postgresql:"):
        environment.environ["GRAPEVINE_SECRET_KEYS"] = "a-key-that-all-processes-share"
    added = json.loads(environment.grapevine("site", "add", "Lees", "--origin", ORIGIN))
    assert set(added) >= {"site", "key", "snippet"}
    with environment.running("serve", "--port", "0") as line:
        (home,) = re.findall(r"http://127\.0\.0\.1:\d+", line)
        with httpx.Client(base_url=home, headers={"User-Agent": CHROME}, timeout=SECONDS) as client:
            token = _two_visits(client, added["site"])
            _read(client, added["key"])
    resolved = json.loads(environment.grapevine("token", "inspect", token, "--site", added["site"], "--json"))
    assert token in json.dumps(resolved)
    assert json.loads(environment.grapevine("stats", added["site"], "--json"))["visits"] == 2
    assert ORIGIN in environment.grapevine("export", added["site"], "visits", "--format", "csv")
    if parquet:
        file = environment.folder / "visits.parquet"
        with file.open("wb") as out:
            command = [environment.folder / "bin/grapevine", "export", added["site"], "visits", "--format", "parquet"]
            subprocess.run(command, env=environment.environ, stdout=out, check=True, timeout=SECONDS)  # noqa: S603
        assert file.read_bytes()[:4] == b"PAR1"


def _two_visits(client: httpx.Client, site: str) -> str:
    """Reports a visit and a return to it; returns the token between them."""
    assert client.get("/widget.js").headers["content-type"].startswith("text/javascript")
    first = _visit(client, {"site": site, "url": f"{ORIGIN}/p", "nonce": "1" * 20, "channels": "copy"})
    token = str(first["tokens"]["copy"])
    again = {"site": site, "url": f"{ORIGIN}/p", "nonce": "2" * 20, "channels": "copy", "token": token}
    assert _visit(client, again, "Firefox")["returned"]["valid"] is True
    return token


def _visit(client: httpx.Client, report: dict[str, Any], browser: str = "Chrome") -> dict[str, Any]:
    agent = CHROME if browser == "Chrome" else "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
    answer = client.post("/v1/visits", json=report, headers={"Origin": ORIGIN, "User-Agent": agent})
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def _read(client: httpx.Client, key: str) -> None:
    summary = client.get("/v1/stats/summary", headers={"Authorization": f"Bearer {key}"})
    assert [summary.json()[name] for name in ("visits", "returns")] == [2, 1]
    signed_in = client.post("/sign-in", data={"key": key}, headers={"Origin": str(client.base_url).rstrip("/")})
    assert signed_in.status_code == 303, signed_in.text
    overview = client.get("/", follow_redirects=True)
    assert overview.status_code == 200
    assert "Lees" in overview.text
    assert client.get("/readyz").status_code == 200


def try_demo(environment: Environment) -> None:
    """The demo answers on both of its ports."""
    with environment.running("demo", "--port", "0", "--site-port", "0", "--json") as line:
        facts = json.loads(line)
        assert "Lees" in httpx.get(facts["site_url"], timeout=SECONDS).text
        assert httpx.get(facts["server"] + "/widget.js", timeout=SECONDS).status_code == 200
