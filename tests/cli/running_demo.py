"""``grapevine demo`` as a process, and questions to its API."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

PATIENCE_SECONDS = 300


class RunningDemo:
    """A running demo."""

    def __init__(self, *arguments: str, folder: Path) -> None:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("GRAPEVINE_")}
        command = [sys.executable, "-m", "grapevine", "demo", "--port", "0", "--site-port", "0", *arguments]
        self.process = subprocess.Popen(  # noqa: S603
            command, env=kept | {"TMPDIR": str(folder)}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        self.folder = folder

    def line(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline()

    def end(self) -> tuple[str, str]:
        self.process.send_signal(signal.SIGTERM)
        return self.process.communicate(timeout=PATIENCE_SECONDS)


def ask(facts: dict[str, Any], path: str, **parameters: str) -> Any:
    """Returns the answer of the demo's API, about all days where the path is one of numbers and no period is given."""
    headers = {"Authorization": f"Bearer {facts['key']}"}
    if "stats" in path and not parameters:
        parameters = {"from": "2020-01-01", "to": "2029-12-31"}
    url = facts["server"] + path
    answer = httpx.get(url, headers=headers, params=parameters or None, trust_env=False, timeout=PATIENCE_SECONDS)
    assert answer.status_code == 200, answer.text
    return answer.json()


def rows(facts: dict[str, Any], table: str, days: int) -> list[dict[str, Any]]:
    """Returns the rows of an exported table of the last ``days``."""
    today = datetime.now(UTC).date()
    period = {"from": (today - timedelta(days=days)).isoformat(), "to": today.isoformat()}
    headers = {"Authorization": f"Bearer {facts['key']}"}
    answer = httpx.get(
        f"{facts['server']}/v1/export/{table}",
        headers=headers,
        params=period,
        trust_env=False,
        timeout=PATIENCE_SECONDS,
    )
    assert answer.status_code == 200, answer.text
    return [json.loads(line) for line in answer.text.splitlines()]
