"""Load from wrk, or from a small asyncio client where wrk is not installed; servers as processes of their own."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple
from urllib.parse import urlsplit

_SCRIPT: Final = Path(__file__).with_name("wrk") / "traffic.lua"
NO_LIMITS: Final = {"GRAPEVINE_RATE_LIMIT": "0", "GRAPEVINE_CONNECTIONS": "0"}
"""Settings of a server under load, all of which comes from one address."""

_UNITS: Final = {"us": 1e-6, "ms": 1e-3, "s": 1.0}


class LoadResult(NamedTuple):
    """Responses a second, the 99th percentile of their time (seconds), and responses that were not 2xx or 3xx."""

    rate: float
    p99: float
    failed: int


def offer(url: str, connections: int, seconds: int, environment: Mapping[str, str]) -> LoadResult:
    """Keeps a number of connections busy for a time."""
    if not uses_wrk():
        return _offer_from_python(url, connections, seconds, environment)
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency", "-s", str(_SCRIPT), url]
    done = subprocess.run(command, env=dict(os.environ) | dict(environment), capture_output=True, text=True, check=True)  # noqa: S603
    rate = re.search(r"Requests/sec:\s+([\d.]+)", done.stdout)
    slow = re.search(r"99%\s+([\d.]+)(us|ms|s)", done.stdout)
    failed = re.search(r"Non-2xx or 3xx responses: (\d+)", done.stdout)
    if not rate or not slow:
        raise SystemExit(f"wrk printed something else than expected:\n{done.stdout}{done.stderr}")
    return LoadResult(float(rate[1]), float(slow[1]) * _UNITS[slow[2]], int(failed[1]) if failed else 0)


def uses_wrk() -> bool:
    """Returns whether load comes from wrk; ``CLIENT=python`` uses the bundled client even if wrk is installed."""
    return os.environ.get("CLIENT") != "python" and shutil.which("wrk") is not None


def _offer_from_python(url: str, connections: int, seconds: int, environment: Mapping[str, str]) -> LoadResult:
    where = urlsplit(url)
    command = [
        sys.executable,
        "-m",
        "tests.bench.client",
        str(where.hostname),
        str(where.port),
        str(connections),
        str(seconds),
    ]
    done = subprocess.run(command, env=dict(os.environ) | dict(environment), capture_output=True, text=True, check=True)  # noqa: S603
    return LoadResult(**json.loads(done.stdout))


@contextmanager
def process(*command: str, ready: str, environment: Mapping[str, str]) -> Iterator[subprocess.Popen[str]]:
    """A Python process that has printed ``ready``; ended by SIGTERM."""
    started = subprocess.Popen(  # noqa: S603
        [sys.executable, *command], env=dict(os.environ) | dict(environment), stdout=subprocess.PIPE, text=True
    )
    try:
        assert started.stdout is not None
        for line in started.stdout:
            if ready in line:
                break
        else:
            raise SystemExit(f"{' '.join(command)} ended before it was ready")
        yield started
    finally:
        started.send_signal(signal.SIGTERM)
        started.communicate(timeout=60)
